import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { addConfigFlags, type ConfigFlags } from './config-flags.ts'
import { addCtl } from './ctl/command.ts'
import type { DetectFlags } from './detect.ts'
import type { DocumentName } from './schema.ts'
import { addUsers } from './users-commands.ts'

const CODES = `
Exit codes: 0 fine, 1 something failed, 2 the command line or the configuration is wrong,
130 stopped by Ctrl-C.`

/**
 * The command line. What a command needs is loaded when it runs, so that help comes at once; each ends
 * by handing its exit code to `end`.
 */
export function commandLine(version: string, end: (exitCode: number) => void): Command {
  const program = new Command('heliograph')
    .description(
      'An edge inference agent: looks at pictures and video, and signals what it sees over MQTT.',
    )
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride()
  program.addHelpText(
    'after',
    `
Examples:
  heliograph run --demo                     see it work, with nothing but this package
  heliograph run --config heliograph.yaml   run an agent
  heliograph detect dog.jpg                 what is in a picture, as JSON
  heliograph ctl get services               what a running agent does
${CODES}`,
  )
  addRun(program, version, end)
  addDetect(program, end)
  addModels(program, end)
  addCtl(program, end)
  addUsers(program)
  addConfig(program)
  program
    .command('schema')
    .description('print the MQTT interface (AsyncAPI) or the HTTP interface (OpenAPI)')
    .addArgument(
      new Argument('[document]', 'which one').choices(['asyncapi', 'openapi']).default('asyncapi'),
    )
    .addHelpText('after', '\nExample:\n  heliograph schema openapi > openapi.json')
    .action(async (name: DocumentName) => (await import('./schema.ts')).printSchema(name, version))
  return program
}

function addRun(program: Command, version: string, end: (exitCode: number) => void): void {
  const command = program
    .command('run')
    .description('run the agent until Ctrl-C')
    .addOption(
      new Option(
        '--demo',
        'find objects in a clip that comes with the package, and print what is seen',
      ).conflicts('config'),
    )
  addConfigFlags(command, [
    'data',
    'mqttPort',
    'httpPort',
    'rtspPort',
    'logLevel',
    'agentId',
    'root',
  ])
    .addHelpText(
      'after',
      `
Ctrl-C or SIGTERM ends it in good order; a second one at once. Flags win over the environment
(HELIOGRAPH_BROKER_PORT and so on), that over the file, that over the defaults.

Examples:
  heliograph run --demo
  heliograph run --config gate.yaml --mqtt-port 1884
  heliograph run --set broker.host=0.0.0.0 --set services.gate.input=gate.mp4
${CODES}`,
    )
    .action(async (flags: ConfigFlags & { demo?: boolean }) => {
      end(await (await import('./run.ts')).run(flags, version))
    })
}

function addDetect(program: Command, end: (exitCode: number) => void): void {
  const command = program
    .command('detect')
    .description('print what is in pictures and videos, one line of JSON for each picture or frame')
    .argument('<file-or-URL...>', 'pictures, videos, folders')
    .option('--model <id>', 'the model (see: heliograph models list)')
    .option('--min-score <0-1>', 'leave out what scores less', between(0, 1))
    .option('--fps <n>', 'frames per second of a video at most', between(0.001, 1000))
    .addOption(
      new Option('--device <name>', 'where to infer').choices([
        'auto',
        'cpu',
        'webgpu',
        'cuda',
        'tensorrt',
      ]),
    )
    .option(
      '--draw <file.jpg>',
      'write the picture with boxes; {name} and {seq} tell several apart',
    )
  addConfigFlags(command, ['logLevel'])
    .addHelpText(
      'after',
      `
Results go to stdout, everything else to stderr.

Examples:
  heliograph detect dog.jpg --draw seen.jpg
  heliograph detect --min-score 0.6 *.jpg --draw 'seen/{name}.jpg'
  heliograph detect clip.mp4 --fps 5 | jq -c '[.pts, .items[].label]'
${CODES}`,
    )
    .action(async (urls: string[], flags: DetectFlags) => {
      end(await (await import('./detect.ts')).runDetect(urls, flags))
    })
}

function addModels(program: Command, end: (exitCode: number) => void): void {
  const models = program.command('models').description('show and fetch models')
  const list = models
    .command('list')
    .description('print the models that can be asked for')
    .option('--json', 'with everything that is known about each')
  addConfigFlags(list, ['logLevel'])
    .addHelpText('after', '\nExample:\n  heliograph models list')
    .action(async (flags: ConfigFlags & { json?: boolean }) =>
      (await import('./models.ts')).listModels(flags),
    )
  const pull = models
    .command('pull')
    .description('fetch and convert a model, so that it is there when it is needed')
    .argument('<id>', 'as in: heliograph models list')
  addConfigFlags(pull, ['logLevel'])
    .addHelpText('after', '\nExample:\n  heliograph models pull ssdlite-mobilenet-v2-coco')
    .action(async (id: string, flags: ConfigFlags) => {
      end(await (await import('./models.ts')).pullOneModel(id, flags))
    })
}

function addConfig(program: Command): void {
  const config = program
    .command('config')
    .description('check the configuration')
    .option('--print', 'print what is in effect, as a commented configuration file')
  addConfigFlags(config, [
    'data',
    'mqttPort',
    'httpPort',
    'rtspPort',
    'logLevel',
    'agentId',
    'root',
  ])
    .addHelpText('after', '\nExample:\n  heliograph config --print > heliograph.yaml')
    .action(async (flags: ConfigFlags & { print?: boolean }) =>
      (await import('./config.ts')).showConfig(flags),
    )
}

function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`)
  }
}
