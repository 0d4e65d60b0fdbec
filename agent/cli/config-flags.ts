import type { Command } from 'commander'

/** What the flags of `addConfigFlags` hold. */
export interface ConfigFlags {
  readonly config?: string
  readonly data?: string
  readonly mqttPort?: string
  readonly httpPort?: string
  readonly rtspPort?: string
  readonly logLevel?: string
  readonly agentId?: string
  readonly root?: string
  readonly set?: readonly string[]
}

/** Flags that are short for one setting each. */
const short = {
  data: { flag: '--data <folder>', name: 'data.folder', what: 'where the agent keeps its state' },
  mqttPort: { flag: '--mqtt-port <port>', name: 'broker.port', what: 'MQTT port; 0: a free one' },
  httpPort: {
    flag: '--http-port <port>',
    name: 'http.port',
    what: 'WebSocket port; 0: a free one',
  },
  rtspPort: { flag: '--rtsp-port <port>', name: 'rtsp.port', what: 'RTSP port; 0: a free one' },
  logLevel: {
    flag: '--log-level <level>',
    name: 'log.level',
    what: 'trace, debug, info, warn, error or silent',
  },
  agentId: { flag: '--agent-id <id>', name: 'agent.id', what: 'name of the agent in its topics' },
  root: { flag: '--root <level>', name: 'agent.root', what: 'first level of every topic' },
} as const

type Short = keyof typeof short

/** Flags and their settings, for messages and for reading. */
export function shortFlags(flags: ConfigFlags): { name: string; text: string; flag: string }[] {
  return (Object.keys(short) as Short[]).flatMap((key) => {
    const text = flags[key]
    const { name, flag } = short[key]
    return text === undefined ? [] : [{ name, text, flag: flag.split(' ')[0] ?? flag }]
  })
}

/** Adds the flags that choose and override configuration. */
export function addConfigFlags(command: Command, which: readonly Short[]): Command {
  command.option('--config <file>', 'configuration file (default: ./heliograph.yaml, if there)')
  for (const key of which) command.option(short[key].flag, short[key].what)
  return command.option(
    '--set <section.key=value>',
    'any setting, as broker.host=0.0.0.0; may be repeated',
    (value: string, before: readonly string[] = []) => [...before, value],
  )
}
