import { type DestinationStream, destination, pino } from 'pino'
import type { LogLine } from '../schemas/state.ts'
import type { Log } from './core/log.ts'
import { redact } from './core/redact.ts'

/** The levels, the least severe first; `silent` is above all. */
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
/** From which level on lines are logged. */
export type LogLevel = (typeof levels)[number]
type LineLevel = Exclude<LogLevel, 'silent'>

/** The agent's log: lines go to stderr, and to whoever listens. */
export interface AgentLog extends Log {
  /** Hands over each line from `level` up, credentials removed; returns how to stop. */
  onLine(level: LogLevel, take: (line: LogLine) => void): () => void
  /** Writes what is still in memory: call it before the process ends. */
  flush(): void
}

/** Where log lines go besides listeners. */
export interface LogParts {
  readonly level: LogLevel
  /** For people (one coloured line each) rather than programs (JSON). */
  readonly human: boolean
  /** Default: stderr, never waited for, at most 1 MiB behind; what is beyond that is lost. */
  readonly stream?: DestinationStream & { flushSync?(): void }
}

interface Listener {
  readonly level: LogLevel
  take(line: LogLine): void
}

/** The log of one process. Every string in it passes `redact`. */
export function createLog({ level, human, stream }: LogParts): AgentLog {
  // Waiting for a terminal that stands still (Ctrl-S) would stop the broker.
  const out = stream ?? destination({ dest: 2, sync: false, maxLength: 1 << 20 })
  const listeners = new Set<Listener>([{ level, take: human ? humanSink(out) : jsonSink(out) }])
  const write = (lineLevel: LineLevel) => (fields: object, message: string) => {
    const takers = [...listeners].filter((listener) => passes(lineLevel, listener.level))
    if (takers.length === 0) return
    const known = Object.entries(fields).filter(([, value]) => value !== undefined)
    const cleaned = clean(Object.fromEntries(known), 0) as Record<string, unknown>
    const line: LogLine = { level: lineLevel, at: Date.now(), message: redact(message) }
    if (Object.keys(cleaned).length > 0) line.fields = cleaned
    for (const listener of takers) listener.take(line)
  }
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    onLine(lineLevel, take) {
      const listener = { level: lineLevel, take }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    flush: () => out.flushSync?.(),
  }
}

function passes(line: LineLevel, threshold: LogLevel): boolean {
  return levels.indexOf(line) >= levels.indexOf(threshold)
}

function jsonSink(out: DestinationStream): (line: LogLine) => void {
  const options = { level: 'trace', base: null, timestamp: false, messageKey: 'message' }
  const formatters = { level: (label: string) => ({ level: label }) }
  const logger = pino({ ...options, formatters }, out)
  return ({ level, at, message, fields }) =>
    logger[level as LineLevel]({ time: new Date(at).toISOString(), ...fields }, message)
}

const colours: Readonly<Record<string, number>> = {
  debug: 90,
  trace: 90,
  info: 36,
  warn: 33,
  error: 31,
}

function humanSink(out: DestinationStream): (line: LogLine) => void {
  return (line) => out.write(`${humanLine(line)}\n`)
}

/** `12:00:00 info  message  key=value …`, with ANSI colours. */
export function humanLine({ level, at, message, fields }: LogLine): string {
  const time = new Date(at).toTimeString().slice(0, 8)
  const pairs = Object.entries(fields ?? {}).map(([key, value]) => {
    const text = typeof value === 'string' ? value : String(JSON.stringify(value))
    return `  \x1b[90m${key}=\x1b[0m${printable(text)}`
  })
  const name = `\x1b[${colours[level] ?? 0}m${level.padEnd(5)}\x1b[0m`
  return `\x1b[90m${time}\x1b[0m ${name} ${printable(message)}${pairs.join('')}`
}

/** A source's name, say, must not move the cursor of the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1))
}

const DEEPEST = 5
const LONGEST = 2000

/** A copy that JSON can hold: credentials removed, errors told, bytes counted, depth and length bounded. */
function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shortened(redact(value))
  if (typeof value === 'bigint' || typeof value === 'function') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return cleanError(value, depth)
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`
  if (depth >= DEEPEST) return '…'
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => clean(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, clean(item, depth + 1)]),
  )
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function cleanError(error: Error & { code?: unknown }, depth: number): unknown {
  const { name, message, code, stack, cause } = error
  const parts = { name, code, message, stack: stack?.split('\n').slice(1, 6), cause }
  const told = Object.entries(parts).filter(([, part]) => part !== undefined)
  return clean(depth < DEEPEST ? Object.fromEntries(told) : message, depth + 1)
}
