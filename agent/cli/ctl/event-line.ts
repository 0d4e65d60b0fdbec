import { styleText } from 'node:util'
import type { ServiceView } from '../../../schemas/http.ts'
import type { Result } from '../../../schemas/results.ts'
import type {
  ErrorEvent,
  InputEvent,
  InputStats,
  ModelStatus,
  ServiceStatus,
  Stats,
  StreamStatus,
} from '../../../schemas/state.ts'
import type { AgentEvent, EventKind } from '../../client/agent-client.ts'
import { redact } from '../../core/redact.ts'
import { labelsOf } from '../seen-line.ts'

/** How an event is shown. */
export interface LineStyle {
  readonly colours: boolean
}

const WHO = 12
const KIND = 10

/** An event as one line for people: when, what kind, about what, and what it says. */
export function eventLine(event: AgentEvent, now: Date, { colours }: LineStyle): string {
  const { about, says, alarm = false } = describe(event)
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text
  const time = paint('gray', now.toTimeString().slice(0, 8))
  const kind = paint(colour[event.kind], event.kind.padEnd(KIND))
  const text = alarm ? paint('red', says) : says
  return `${time}  ${kind}  ${about.padEnd(WHO)}  ${text}`.trimEnd()
}

const colour = {
  detections: 'green',
  event: 'cyan',
  state: 'yellow',
  stats: 'gray',
  input: 'blue',
  output: 'blue',
  model: 'blue',
  stream: 'magenta',
  error: 'red',
} as const satisfies Record<EventKind, string>

interface Said {
  readonly about: string
  readonly says: string
  readonly alarm?: boolean
}

type Describers = Readonly<Record<EventKind, (data: never, event: AgentEvent) => Said>>

const describers: Describers = {
  detections: ({ input, seq, items, ms }: Result) => ({
    about: input,
    says: `#${String(seq).padEnd(6)} ${ms.infer.toFixed(1).padStart(6)} ms  ${labelsOf(items)}`,
  }),
  event: (event: InputEvent) => ({ about: event.input, says: lifeOf(event) }),
  state: ({ state, reason, error }: ServiceStatus, { service }) => ({
    about: service,
    says: `${state}${reason ? ` (${reason})` : ''}${error ? `  ${redact(error.message)}` : ''}`,
    alarm: state === 'failed' || state === 'degraded',
  }),
  stats: ({ inputs }: Stats, { service }) => ({
    about: service,
    says: Object.entries(inputs).map(statsOf).join('; ') || 'no input',
  }),
  input: (inputs: ServiceView['input'], { service }) => partsSaid(inputs, service),
  output: (outputs: ServiceView['output'], { service }) => partsSaid(outputs, service),
  model: ({ id, state, provider, error }: ModelStatus, { service }) => ({
    about: service,
    says: `${id} ${state}${provider ? ` on ${provider}` : ''}${error ? `  ${redact(error.message)}` : ''}`,
    alarm: error !== undefined,
  }),
  stream: (stream: StreamStatus | undefined, { topic }) => ({
    about: topic.replace('stream/', ''),
    says: stream ? `${stream.url}  ${stream.viewers ?? 0} watching` : 'ended',
  }),
  error: ({ code, message, input, output }: ErrorEvent, { service }) => ({
    about: input ?? output ?? service,
    says: `${code}: ${redact(message)}`,
    alarm: true,
  }),
}

function describe(event: AgentEvent): Said {
  const { kind, data, service } = event
  if (data === undefined && kind !== 'stream') return { about: service, says: 'gone' }
  return describers[kind](data as never, event)
}

function lifeOf(event: InputEvent): string {
  if (event.type === 'ended') return `ended after ${event.frames} frames, ${event.failed} failed`
  const { type, label, track, bestScore, frames } = event
  return `${type} ${label} ${track}: best ${Math.round(bestScore * 100)} %, ${frames} frames`
}

function statsOf([input, stats]: [string, InputStats]): string {
  const { ms, inferred, dropped } = stats
  const infer = ms.infer ? `, ${ms.infer.p50.toFixed(1)} ms` : ''
  return `${input} ${stats.in} in, ${inferred} inferred, ${dropped} dropped${infer}`
}

function partsSaid(parts: ServiceView['input'] | ServiceView['output'], service: string): Said {
  const all = Object.entries(parts)
  const says = all.map(([id, { state, error }]) =>
    error ? `${id} ${state}: ${redact(error.message)}` : `${id} ${state}`,
  )
  return {
    about: service,
    says: says.join(', ') || 'none',
    alarm: all.some(([, { error }]) => error),
  }
}
