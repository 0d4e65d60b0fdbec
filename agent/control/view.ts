import type { ModelView, ServiceView } from '../../schemas/http.ts'
import type {
  InputStatus,
  ModelStatus,
  OutputStatus,
  ServicePhase,
  ServiceStatus,
} from '../../schemas/state.ts'
import { maskedOutput, redact } from '../core/redact.ts'
import type { StoredModel } from '../store/store.ts'
import type { ServiceControl } from './service-control.ts'
import { isWanted, newOutput, type ServiceState } from './service-state.ts'

/** The state of the service as a whole: derived, never stored. */
export function phaseOf(service: ServiceState): ServicePhase {
  if (!isWanted(service)) return service.process === 'stopping' ? 'stopping' : 'idle'
  if (service.model.state === 'failed' && !service.model.running) return 'failed'
  const states = Object.keys(service.desired.inputs)
    .map((id) => service.inputs[id]?.state ?? 'closed')
    .filter((state) => state !== 'ended')
  if (states.length > 0 && states.every((state) => state === 'failed')) return 'failed'
  const troubled = ['retrying', 'stalled', 'failed']
  if (service.crash || states.some((state) => troubled.includes(state))) return 'degraded'
  const ready = service.process === 'up' && service.model.running !== undefined
  if (!ready || states.some((state) => state === 'opening')) return 'starting'
  return service.model.state === 'failed' ? 'degraded' : 'running'
}

/** Everything about a service that is not private. */
export function serviceView(
  service: string,
  { state, facts }: Pick<ServiceControl, 'state' | 'facts'>,
): ServiceView {
  const { since, stats, streams } = facts
  return {
    service,
    compute: state.desired.compute,
    state: serviceStatus(state, since),
    input: inputStatuses(state),
    output: outputStatuses(state),
    model: modelStatus(state),
    streams,
    ...(stats ? { stats } : {}),
  }
}

/** A model of this machine, as others are told of it. */
export function modelView({ manifest, state, bytes }: StoredModel): ModelView {
  const { id, task, family, licence, labels } = manifest
  return {
    ...{ id, task, family, licence, state },
    labels: labels.filter((label) => label !== null),
    ...(bytes === undefined ? {} : { bytes }),
  }
}

/** The `state` topic. `since` is kept by the caller, who knows when the phase changed. */
export function serviceStatus(service: ServiceState, since: number): ServiceStatus {
  const state = phaseOf(service)
  const reason = reasonOf(service, state)
  const error = state === 'degraded' || state === 'failed' ? firstError(service) : undefined
  return { state, since, ...(reason ? { reason } : {}), ...(error ? { error } : {}) }
}

function firstError(service: ServiceState) {
  const inputs = Object.values(service.inputs).map((input) => input.error)
  return service.model.error ?? service.crash ?? inputs.find((error) => error !== undefined)
}

function reasonOf(service: ServiceState, phase: ServicePhase): string | undefined {
  const { desired, model, inputs } = service
  if (phase === 'idle') return idleReason(service)
  if (phase === 'starting') {
    if (model.state === 'pulling') return `the model '${desired.model.id}' is being fetched`
    if (model.state === 'loading') return `the model '${desired.model.id}' is being loaded`
    if (service.process !== 'up') return 'the process is being started'
  }
  if (phase === 'running' && Object.keys(desired.inputs).length === 0) {
    return 'ready; no input is set'
  }
  if (phase === 'degraded' && model.state === 'failed' && model.running) {
    return `the model '${desired.model.id}' failed to load; '${model.running.model.manifest.id}' goes on`
  }
  const troubled = Object.entries(inputs).filter(([, input]) => input.error)
  if ((phase === 'degraded' || phase === 'failed') && troubled.length > 0) {
    return `inputs: ${troubled.map(([id, { state }]) => `${id} ${state}`).join(', ')}`
  }
  return undefined
}

function idleReason({ desired, inputs }: ServiceState): string {
  const ids = Object.keys(desired.inputs)
  if (ids.length === 0) return 'no input is set'
  return ids.every((id) => inputs[id]?.state === 'ended') ? 'every input has ended' : 'stopped'
}

/** The `input` topic. Passwords are masked. */
export function inputStatuses(service: ServiceState): Record<string, InputStatus> {
  return Object.fromEntries(
    Object.entries(service.desired.inputs).map(([id, spec]) => {
      const actual = service.inputs[id] ?? { state: 'closed' as const, since: 0 }
      return [id, { ...spec, ...actual, url: publicUrl(spec.url), fps: spec.fps ?? actual.fps }]
    }),
  ) as Record<string, InputStatus>
}

/** The `output` topic. Passwords are masked. */
export function outputStatuses(service: ServiceState): Record<string, OutputStatus> {
  return Object.fromEntries(
    Object.entries(service.desired.outputs).map(([id, spec]) => {
      const { quarantined, ...actual } = service.outputs[id] ?? newOutput('closed', 0)
      return [id, { ...maskedOutput(spec), ...actual } as OutputStatus]
    }),
  )
}

/** The `model` topic. */
export function modelStatus({ desired, model }: ServiceState): ModelStatus {
  const { running, resolved, progress, error, state } = model
  const shown = running?.model ?? resolved
  return {
    ...desired.model,
    state,
    ...(progress === undefined ? {} : { progress }),
    ...(error ? { error } : {}),
    ...(running && running.model.manifest.id !== desired.model.id
      ? { running: running.model.manifest.id }
      : {}),
    ...(running ? { provider: running.provider } : {}),
    ...(shown ? manifestFacts(shown) : {}),
  }
}

function manifestFacts({ manifest, sha256 }: NonNullable<ServiceState['model']['resolved']>) {
  const { width, height, dtype, layout } = manifest.input
  return {
    task: manifest.task,
    labels: manifest.labels.filter((label) => label !== null),
    input: { width, height, dtype, layout },
    sha256,
    licence: manifest.licence,
  }
}

/** A `data:` URI is shown by its beginning only; passwords become `***`. */
function publicUrl(url: string): string {
  return url.startsWith('data:') && url.length > 80 ? `${url.slice(0, 60)}…` : redact(url)
}
