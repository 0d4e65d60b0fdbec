import { http, users } from './config-http.ts'
import { Cidrs, Count, Folder, Folders, Host, LOOPBACK, Port } from './config-parts.ts'
import { advertise, live, media, preview, rtsp } from './config-video.ts'
import { Id, ServiceAdd } from './control.ts'
import Type, { type Static, type TSchema } from './typebox.ts'

const agent = Type.Object(
  {
    id: Type.Optional({
      ...Id,
      description:
        'Names the agent in its topics. Default: made of the host name once, and stored.',
    }),
    root: Type.String({
      pattern: '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$',
      maxLength: 200,
      default: 'edge',
      description: 'First level of every topic, as in <root>/1/<agent>/$state.',
    }),
  },
  { description: 'Who the agent is.' },
)

const data = Type.Object(
  {
    folder: Folder(
      'Where the agent keeps its state. Default: $XDG_DATA_HOME/heliograph, else ~/.local/share/heliograph.',
    ),
  },
  { description: 'What survives a restart.' },
)

const log = Type.Object(
  {
    level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      default: 'info',
      description: 'The least severe lines that are written to stderr.',
    }),
    mqttLevel: Type.Enum(['debug', 'info', 'warn', 'error', 'silent'], {
      default: 'warn',
      description: 'The least severe lines that are published on $log.',
    }),
  },
  { description: 'What the agent says about itself.' },
)

const broker = Type.Object(
  {
    host: Host(`Address on which the MQTT broker listens. ${LOOPBACK}`),
    port: Port(1883, 'TCP port of the MQTT broker; 0 takes a free one.'),
  },
  { description: 'The MQTT broker inside the agent.' },
)

const sources = Type.Object(
  {
    roots: Folders(
      'Folders below which file inputs may lie. Default: the examples that come with the package, and <data>/media.',
    ),
    addresses: Type.Object(
      {
        allow: Cidrs('CIDR blocks that inputs may reach though they are refused by default.'),
        deny: Cidrs('CIDR blocks that inputs may not reach though they are allowed by default.'),
      },
      { description: 'Link-local addresses and cloud metadata are refused by default.' },
    ),
    maxPixels: Count(50_000_000, 1_000_000_000, 'Pictures with more pixels are refused.'),
    maxDownloadBytes: Count(64 * 1024 * 1024, 2 ** 40, 'Longer downloads are cut off and refused.'),
  },
  { description: 'What inputs may read.' },
)

const outputs = Type.Object(
  {
    mediaFolder: Folder('The folder below which file outputs are written. Default: <data>/media.'),
    topicPrefixes: Type.Array(Type.String({ minLength: 1, pattern: '^[^#+]+$' }), {
      default: [],
      description: 'Topics that mqtt:<topic> outputs may publish on, by their first levels.',
    }),
    minFreeBytes: Type.Integer({
      minimum: 0,
      default: 500_000_000,
      description: 'Recording stops while the disk has less free space than this.',
    }),
    addresses: Type.Object(
      {
        allow: Cidrs('CIDR blocks that outputs may reach though they are refused by default.'),
        deny: Cidrs('CIDR blocks that outputs may not reach though they are allowed by default.'),
      },
      { description: 'Link-local addresses and cloud metadata are refused by default.' },
    ),
  },
  { description: 'What outputs may write.' },
)

const models = Type.Object(
  {
    cacheFolder: Folder(
      'Where fetched and converted models are kept. Default: $XDG_CACHE_HOME/heliograph/models, else ~/.cache/heliograph/models.',
    ),
    folders: Type.Array(Type.String({ minLength: 1, folder: true }), {
      default: [],
      description: 'Folders with models of your own, one folder with a manifest for each.',
    }),
  },
  { description: 'Where models come from.' },
)

const limits = Type.Object(
  {
    samplesPerInput: Count(3, 16, 'Pictures of one input that are in memory at once.'),
    inferenceThreads: Count(1, 64, 'Threads per service that infer, each with its own session.'),
    threadsPerInference: Count(1, 64, 'Threads that share one inference.'),
    batchSize: Type.Integer({
      minimum: 0,
      maximum: 64,
      default: 0,
      description:
        'Waiting pictures that share one inference, at most, where the model has a batch axis; 0: 4 on CUDA and WebGPU, else 1. Above 1, models that are converted get such an axis if they can.',
    }),
    batchWaitMs: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 0,
      description: 'How long pictures wait for others to share an inference with, ms.',
    }),
    services: Count(16, 256, 'Services of the agent.'),
    inputsPerService: Count(32, 256, 'Inputs of one service.'),
    onceConcurrency: Count(8, 256, 'Requests for one result that a service works on at once.'),
    onceQueue: Count(64, 4096, 'Further ones that wait for their turn; more are refused.'),
  },
  { description: 'How much the agent takes on.' },
)

const { service: _, ...serviceParts } = ServiceAdd.properties

const Service = Type.Object(serviceParts, {
  description: 'Named services run from the start, unless compute says stop.',
})

const metrics = Type.Object(
  {
    intervalMs: Type.Integer({
      minimum: 500,
      maximum: 3_600_000,
      default: 5000,
      description: 'How often $metrics is published, ms.',
    }),
  },
  { description: 'What is measured.' },
)

/**
 * The configuration, complete: as the agent holds it. A file, the environment and flags give parts of
 * it; what they leave out is `default`, or described in words where it depends on the machine.
 */
export const ConfigSchema = Type.Object({
  agent,
  data,
  log,
  broker,
  http,
  users,
  rtsp,
  live,
  media,
  preview,
  advertise,
  sources,
  outputs,
  models,
  limits,
  services: Type.Record(Id, Service, { description: 'Services that exist from the start, by id.' }),
  metrics,
})

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T

/** A service as the configuration describes it. */
export type ServiceConfig = Static<typeof Service>

/** The checked configuration: every default filled in, every folder absolute. */
export type Config = Frozen<Omit<Static<typeof ConfigSchema>, 'services'>> & {
  readonly services: Readonly<Record<string, ServiceConfig>>
}

/** One value of the configuration. */
export interface Setting {
  readonly path: readonly string[]
  /** As in messages, and for `--set`: `broker.port`. */
  readonly name: string
  /** As in the environment: `HELIOGRAPH_BROKER_PORT`. */
  readonly variable: string
  readonly schema: SettingSchema
}

/** The parts of a setting's schema that matter outside of checking. */
export type SettingSchema = TSchema & {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly items?: SettingSchema
  /** The string is the path of a folder or a file. */
  readonly folder?: boolean
  readonly properties?: Readonly<Record<string, SettingSchema>>
}

/** Every setting outside `services`, in the order of the file. */
export const settings: readonly Setting[] = flatten(ConfigSchema, [])

function flatten(schema: SettingSchema, path: readonly string[]): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const here = [...path, key]
    if (child.properties) return flatten(child, here)
    if (key === 'services' && path.length === 0) return []
    return [{ path: here, name: here.join('.'), variable: variableOf(here), schema: child }]
  })
}

function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
  return ['HELIOGRAPH', ...words].join('_')
}
