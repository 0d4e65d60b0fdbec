import type { Command } from 'commander'
import { CONNECTING, type End } from './connecting.ts'
import { addClientFlags, type ClientFlags, repeated } from './flags.ts'
import type { AddFlags } from './service.ts'

/** Adds `ctl service list`, `add` and `remove`. */
export function addServiceCommands(ctl: Command, end: End): void {
  const service = ctl.command('service').description('list, add and remove services')
  addClientFlags(service.command('list').description('print every service'))
    .addHelpText('after', `\nExample:\n  heliograph ctl service list\n${CONNECTING}`)
    .action(async (flags: ClientFlags) =>
      end(await (await import('./get.ts')).get('services', flags)),
    )
  const add = service
    .command('add')
    .description('add a service')
    .argument('<id>', 'its name')
    .option('--model <id>', 'as in: heliograph ctl models list')
    .option('--input <what>', 'a URL, id=url or id.option=value; may be repeated', repeated)
    .option('--output <what>', 'id=url or id.option=value; may be repeated', repeated)
    .option('--stopped', 'do not start it yet')
  addClientFlags(add)
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl service add door --input mqtt:cam/door
  heliograph ctl service add yard --input east=http://cam.example/1.jpg --input east.fps=5 --stopped
${CONNECTING}`,
    )
    .action(async (id: string, flags: AddFlags) =>
      end(await (await import('./service.ts')).addService(id, flags)),
    )
  const remove = service
    .command('remove')
    .description('stop a service and forget it')
    .argument('<id>', 'its name')
    .option('--if-match <tag>', 'only if nothing was changed since (HTTP)')
  addClientFlags(remove)
    .addHelpText('after', `\nExample:\n  heliograph ctl service remove door\n${CONNECTING}`)
    .action(async (id: string, flags: ClientFlags & { ifMatch?: string }) =>
      end(await (await import('./service.ts')).removeService(id, flags)),
    )
}

/** Adds `ctl models list` and `pull`. */
export function addModelCommands(ctl: Command, end: End): void {
  const models = ctl.command('models').description("list and fetch the agent's models")
  addClientFlags(models.command('list').description('print the models that services may use'))
    .addHelpText('after', `\nExample:\n  heliograph ctl models list\n${CONNECTING}`)
    .action(async (flags: ClientFlags) =>
      end(await (await import('./get.ts')).get('models', flags)),
    )
  const pull = models
    .command('pull')
    .description('have the agent fetch a model, so that it is there when it is needed')
    .argument('<id>', 'as in: heliograph ctl models list')
  addClientFlags(pull)
    .addHelpText(
      'after',
      `\nExample:\n  heliograph ctl models pull ssdlite-mobilenet-v2-coco\n${CONNECTING}`,
    )
    .action(async (id: string, flags: ClientFlags) =>
      end(await (await import('./models.ts')).pull(id, flags)),
    )
}
