/** Where an event belongs, read from its topic below `<root>/1/<agent>/`. */
export interface EventPlace {
  /** Absent: the agent itself. */
  readonly service?: string
  /** Below the service, or below the agent. */
  readonly topic: string
  /** The topic's first level: `detections`, `state`, `$alert`. */
  readonly kind: string
  /** The input whose topic it is, where it is one's. */
  readonly input?: string
}

/** Reads a topic such as `gate/detections/north` or `$alert/disk`. */
export function placeOf(path: string): EventPlace {
  if (path.startsWith('$')) return { topic: path, kind: path.split('/', 1)[0] ?? path }
  const [service = '', kind = '', ...rest] = path.split('/')
  const input = kind === 'stream' ? rest[1] : rest[0]
  const topic = [kind, ...rest].join('/')
  return { service, topic, kind, ...(input === undefined ? {} : { input }) }
}

/** Which events somebody wants; what is absent is all. */
export interface EventFilter {
  readonly service?: string
  /** First levels of topics. */
  readonly topics?: readonly string[]
  /** Restricts events on topics of single inputs, and no others. */
  readonly inputs?: readonly string[]
}

/** Whether an event is wanted. */
export function isWanted(filter: EventFilter, { service, kind, input }: EventPlace): boolean {
  if (filter.service !== undefined && filter.service !== service) return false
  if (filter.topics && !filter.topics.includes(kind)) return false
  return input === undefined || !filter.inputs || filter.inputs.includes(input)
}
