import { type Command, InvalidArgumentError, Option } from 'commander'

/** How to reach an agent, and how to print what it says. */
export interface ClientFlags {
  readonly url: string
  readonly token?: string
  readonly agent?: string
  readonly root: string
  readonly timeout?: number
  readonly service?: string
  readonly json?: boolean
}

/** Where `heliograph run` answers unless it is told otherwise. */
const DEFAULT_URL = 'http://127.0.0.1:8080'

/** Adds the flags that every command of a client takes. */
export function addClientFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', 'the agent: http(s)://, mqtt(s):// or ws(s)://host:port')
        .default(DEFAULT_URL)
        .env('HELIOGRAPH_URL'),
    )
    .addOption(
      new Option('--token <token>', 'who you are; better in the environment').env(
        'HELIOGRAPH_TOKEN',
      ),
    )
    .option('--agent <id>', 'which agent of several on one broker (MQTT)')
    .option('--root <level>', 'first level of the topics (MQTT)', 'edge')
    .option('--timeout <seconds>', 'how long an answer may take', positive)
    .option('--json', 'print JSON, for programs')
}

/** Adds the flag that names a service. */
export function addServiceFlag(command: Command): Command {
  return command.option(
    '--service <id>',
    'which service (default: the one named default, else the only one)',
  )
}

/** Collects a flag that may be repeated. */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}
