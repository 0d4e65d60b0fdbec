import { type Command, Option } from 'commander'
import { CONNECTING, type End } from './connecting.ts'
import { addClientFlags, addServiceFlag, repeated } from './flags.ts'
import type { ModelFlags, SetFlags } from './set.ts'

/** Adds `ctl set input`, `output` and `model`. */
export function addSet(ctl: Command, end: End): void {
  const set = ctl
    .command('set')
    .description('change where a service looks, where results go, which model it runs')
  addSetInput(set, end)
  addSetOutput(set, end)
  addSetModel(set, end)
}

function addSetInput(set: Command, end: End): void {
  const command = set
    .command('input')
    .description('choose where samples come from')
    .argument('[what...]', 'a URL (replaces all), id=url, id.option=value, id= (removes), or -')
  addSetFlags(command)
    .addHelpText(
      'after',
      `
A URL by itself replaces all inputs; a map changes those that it names, unless --replace is given.

Examples:
  heliograph ctl set input http://cam.example/1.jpg
  heliograph ctl set input gate=http://cam.example/1.jpg gate.fps=5 yard=
  heliograph ctl set input gate.fps=10
  echo '{"gate": {"url": "mqtt:cam/gate"}}' | heliograph ctl set input -
${CONNECTING}`,
    )
    .action(async (args: string[], flags: SetFlags) =>
      end(await (await import('./set.ts')).setParts('input', args, flags)),
    )
}

function addSetOutput(set: Command, end: End): void {
  const command = set
    .command('output')
    .description('choose where results go')
    .argument('[what...]', 'id=url, id.option=value, id= (removes), or -')
  addSetFlags(command)
    .addHelpText(
      'after',
      `
Outputs that are not named stay, unless --replace is given.

Examples:
  heliograph ctl set output lines=file:seen/{input}.jsonl
  heliograph ctl set output people=mqtt: people.labels=person people.minScore=0.6
  heliograph ctl set output --remove lines
  heliograph ctl set output -f outputs.json --replace
${CONNECTING}`,
    )
    .action(async (args: string[], flags: SetFlags) =>
      end(await (await import('./set.ts')).setParts('output', args, flags)),
    )
}

function addSetModel(set: Command, end: End): void {
  const command = set
    .command('model')
    .description('choose the model, its device or its options')
    .argument('[id]', 'as in: heliograph ctl models list; - for standard input')
    .option('--option <name=value>', 'from the next frame on; may be repeated', repeated)
    .addOption(
      new Option('--device <name>', 'where to infer').choices([
        'auto',
        'cpu',
        'webgpu',
        'cuda',
        'tensorrt',
      ]),
    )
    .option('-f, --file <file.json>', 'take the change from a file; - for standard input')
    .option('--if-match <tag>', 'only if nothing was changed since (HTTP)')
  addServiceFlag(addClientFlags(command))
    .addHelpText(
      'after',
      `
Examples:
  heliograph ctl set model ssdlite-mobilenet-v2-coco
  heliograph ctl set model --option minScore=0.6 --option labels=dog,person
  heliograph ctl set model --device cpu
${CONNECTING}`,
    )
    .action(async (id: string | undefined, flags: ModelFlags) =>
      end(await (await import('./set.ts')).setModel(id, flags)),
    )
}

function addSetFlags(command: Command): Command {
  command
    .option('-f, --file <file.json>', 'take the map from a file; - for standard input')
    .option('--replace', 'what is not named goes')
    .option('--remove <id>', 'remove this one; may be repeated', repeated)
    .option('--if-match <tag>', 'only if nothing was changed since (HTTP)')
  return addServiceFlag(addClientFlags(command))
}
