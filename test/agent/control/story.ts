import {
  type Effect,
  newService,
  type ServiceEvent,
  type ServiceState,
} from '../../../agent/control/service-state.ts'
import { transition } from '../../../agent/control/transition.ts'
import { phaseOf } from '../../../agent/control/view.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import { catalog } from '../../../agent/store/catalog.ts'
import type { ResolvedModel } from '../../../schemas/manifest.ts'
import type { ServicePhase } from '../../../schemas/state.ts'

/** Tells a service's story: what happens to it, and what it wants done. */
export interface Story {
  readonly state: ServiceState
  readonly phase: ServicePhase
  /** Effects of the last event, as short words: `input/open gate`, `process/start`. */
  readonly effects: readonly string[]
  tell(...events: ServiceEvent[]): Story
}

/** A service that nobody told anything yet. */
export function story(state: ServiceState = fresh()): Story {
  return storyOf(state, [])
}

function storyOf(state: ServiceState, effects: readonly string[]): Story {
  return {
    state,
    phase: phaseOf(state),
    effects,
    tell(...events) {
      let now = state
      let done: readonly Effect[] = []
      for (const event of events) [now, done] = transition(now, event, 1000)
      return storyOf(now, done.map(word))
    },
  }
}

function word(effect: Effect): string {
  if (effect.type !== 'send') return 'id' in effect ? `${effect.type} ${effect.id}` : effect.type
  const { message } = effect
  return 'id' in message ? `${message.type} ${message.id}` : message.type
}

/** A service as it is created. */
export function fresh(): ServiceState {
  return newService({ id: 'ssd', device: 'auto', options: {} })
}

/** A model that lies ready. */
export function resolved(id = 'ssd'): ResolvedModel {
  const [manifest] = catalog
  if (!manifest) throw new Error('the catalog is empty')
  return { manifest: { ...manifest, id }, file: `/models/${id}.onnx`, sha256: '0'.repeat(64) }
}

/** `input/set` of one input under the id `default`. */
export function url(address: string): ServiceEvent {
  return { type: 'input/set', replace: true, patch: { default: { url: address } } }
}

/** `input/set` that merges. */
export function merge(patch: Record<string, string | null>): ServiceEvent {
  const specs = Object.entries(patch).map(([id, address]) => [id, address && { url: address }])
  return { type: 'input/set', replace: false, patch: Object.fromEntries(specs) }
}

/** An input's news. */
export function news(
  id: string,
  state: 'live' | 'ended' | 'failed' | 'retrying' | 'opening',
): ServiceEvent {
  const error =
    state === 'failed' || state === 'retrying'
      ? { error: new AgentError('SOURCE_UNREACHABLE', 'gone', { retryable: true }).toInfo() }
      : {}
  return { type: 'input/report', report: { id, state, ...error } }
}

/** A process that died. */
export const crashed: ServiceEvent = {
  type: 'process/exited',
  crash: new AgentError('SERVICE_CRASHED', 'SIGSEGV', { retryable: true }).toInfo(),
}

/** From nothing to inferring: the model fetched and loaded, the process up. */
export const comesUp: readonly ServiceEvent[] = [
  { type: 'model/fetched', model: resolved() },
  { type: 'process/ready' },
  { type: 'model/loaded', id: 'ssd', provider: 'cpu' },
]
