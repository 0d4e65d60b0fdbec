/** Where configuration came from: a file, a variable, a flag. */
export interface Origin {
  /** Names the value at `path`, or its key, for messages: `heliograph.yaml:3:9`, `--mqtt-port`. */
  where(path: readonly string[], part: 'key' | 'value'): string
  /** What relative paths count from. */
  readonly folder: string
}

/** What one origin says of the configuration, or of the part of it at `path`; not checked yet. */
export interface Given {
  readonly path: readonly string[]
  readonly value: unknown
  readonly origin: Origin
}

/** What is wrong with a part of the configuration, ready to be read: where, what, and what is allowed. */
export type Problem = string
