import { Argument, type Command, Option } from 'commander'
import { addModelCommands, addServiceCommands } from './agent-commands.ts'
import type { ComputeFlags } from './compute.ts'
import { CONNECTING, type End } from './connecting.ts'
import { addClientFlags, addServiceFlag, positive } from './flags.ts'
import type { Readable } from './get.ts'
import { addSet } from './set-command.ts'
import type { Watchable, WatchFlags } from './watch.ts'

/** Adds `ctl`, the client of a running agent. */
export function addCtl(program: Command, end: End): void {
  const ctl = program
    .command('ctl')
    .description('read, change and watch a running agent, over HTTP or MQTT')
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl get services                             what is there
  heliograph ctl set input http://cam.example/1.jpg       look at a camera
  heliograph ctl compute start                            begin
  heliograph ctl watch                                    what is seen, line by line
  heliograph ctl compute dog.jpg --draw seen.jpg          one picture in, boxes out
  heliograph ctl ping --url mqtt://127.0.0.1:1883         any of them over MQTT
${CONNECTING}`,
    )
  addGet(ctl, end)
  addSet(ctl, end)
  addCompute(ctl, end)
  addWatch(ctl, end)
  addServiceCommands(ctl, end)
  addModelCommands(ctl, end)
  addPing(ctl, end)
}

const readable: readonly Readable[] = [
  'services',
  'service',
  'input',
  'output',
  'model',
  'compute',
  'state',
  'models',
  'info',
]

function addGet(ctl: Command, end: End): void {
  const get = ctl
    .command('get')
    .description('print what is there')
    .addArgument(new Argument('[what]', 'what to print').choices(readable).default('services'))
    .option('--etag', 'print only the tag that --if-match takes (HTTP)')
  addServiceFlag(addClientFlags(get))
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl get
  heliograph ctl get input --service gate
  heliograph ctl get model --json | jq -r .provider
  heliograph ctl set input gate=http://cam.example/2.jpg --if-match "$(heliograph ctl get input --etag)"
${CONNECTING}`,
    )
    .action(async (what: Readable, flags) => end(await (await import('./get.ts')).get(what, flags)))
}

function addCompute(ctl: Command, end: End): void {
  const compute = ctl
    .command('compute')
    .description('start, stop, infer once, or send pictures and print what is in them')
    .argument('[what...]', 'start (default), stop, once; or files to send, - for standard input')
    .option('--input <id-or-url>', "once: an input's id, or a source of its own")
    .option('--tag <text>', 'copied into the results')
    .option(
      '--draw <file.jpg>',
      'also save the sent picture with its boxes; {name} and {seq} tell several apart (HTTP)',
    )
    .option('--if-match <tag>', 'start or stop only if nothing was changed since (HTTP)')
  addServiceFlag(addClientFlags(compute))
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl compute stop
  heliograph ctl compute once --input gate --tag part-4711
  heliograph ctl compute dog.jpg street.jpg --draw 'seen/{name}.jpg'
  heliograph ctl compute clip.mp4 --json | jq -c '[.seq, .items[].label]'
${CONNECTING}`,
    )
    .action(async (what: string[], flags: ComputeFlags) =>
      end(await (await import('./compute.ts')).compute(what, flags)),
    )
}

const watchable: readonly Watchable[] = ['detections', 'state', 'events', 'stats', 'all']

function addWatch(ctl: Command, end: End): void {
  const watch = ctl
    .command('watch')
    .description('print what happens, one line for each event, until Ctrl-C')
    .addArgument(new Argument('[what]', 'what to watch').choices(watchable).default('detections'))
    .option('--input <id>', 'only of this input')
    .addOption(new Option('-n, --count <n>', 'stop after so many').argParser(positive))
  addServiceFlag(addClientFlags(watch))
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl watch
  heliograph ctl watch all --service gate
  heliograph ctl watch events --input clip --json | jq -c .data
  heliograph ctl watch detections --count 1 --json
${CONNECTING}`,
    )
    .action(async (what: Watchable, flags: WatchFlags) =>
      end(await (await import('./watch.ts')).watch(what, flags)),
    )
}

function addPing(ctl: Command, end: End): void {
  addClientFlags(ctl.command('ping').description('ask whether the agent answers'))
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl ping
  heliograph ctl ping --url mqtt://127.0.0.1:1883 --timeout 2
${CONNECTING}`,
    )
    .action(async (flags) => end(await (await import('./ping.ts')).ping(flags)))
}
