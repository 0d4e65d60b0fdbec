import type { InputReport } from '../service/messages.ts'
import { failPending, loadModel, openInput, openOutput, send } from './effects.ts'
import { each, mapValues, omit } from './records.ts'
import {
  type ActualInput,
  type ActualOutput,
  isOpen,
  isWanted,
  newOutput,
  type ServiceEvent,
  type ServiceState,
  type Step,
  withoutCrash,
} from './service-state.ts'
import { closed, finish, want } from './wishes.ts'

/** The process was kept warm long enough. */
export function lingerOver(service: ServiceState): Step {
  if (!service.lingering || isWanted(service)) return [{ ...service, lingering: false }, []]
  const stopping = { ...service, lingering: false, process: 'stopping' } as const
  return service.process === 'down'
    ? [{ ...service, lingering: false }, []]
    : [stopping, [{ type: 'process/stop' }]]
}

/** A process is up, for the first time or again: it is told everything. */
export function processReady(service: ServiceState, now: number): Step {
  const { desired, model } = service
  const running = desired.compute === 'start'
  const inputs = running
    ? Object.keys(desired.inputs).filter((id) => mayReopen(service.inputs[id]))
    : []
  const next: ServiceState = {
    ...service,
    process: 'up',
    inputs: {
      ...service.inputs,
      ...each(inputs, () => ({ state: 'opening', since: now }) as const),
    },
    outputs: anew(service, 'opening', now),
    model: model.resolved ? { ...model, state: 'loading' } : model,
  }
  return [
    next,
    [
      ...loadModel(next),
      ...Object.keys(desired.outputs)
        .filter((id) => !next.outputs[id]?.quarantined)
        .flatMap((id) => openOutput(next, id)),
      ...inputs.flatMap((id) => openInput(next, id)),
      ...Object.values(service.pending).map((once) => send({ type: 'once', once })),
    ],
  ]
}

/** All desired outputs start again, but for those in quarantine. */
function anew(
  { desired, outputs }: ServiceState,
  state: ActualOutput['state'],
  now: number,
): ServiceState['outputs'] {
  return each(Object.keys(desired.outputs), (id) => {
    const before = outputs[id]
    return before?.quarantined ? before : newOutput(state, now)
  })
}

/** A quarantined or ended input stays as it is when the process comes back. */
function mayReopen(input: ActualInput | undefined): boolean {
  return input?.state !== 'ended' && input?.state !== 'failed'
}

/** The process is gone: as it was told, or by a crash after which the supervisor starts it again. */
export function processExited(
  service: ServiceState,
  crash: ServiceState['crash'],
  now: number,
): Step {
  const { running, ...model } = service.model
  const down: ServiceState = {
    ...service,
    process: crash ? 'starting' : 'down',
    model: {
      ...model,
      state: model.state === 'ready' || model.state === 'loading' ? 'unloaded' : model.state,
    },
    inputs: crash ? retrying(service.inputs, crash, now) : closed(service.inputs, now),
    outputs: anew(service, 'closed', now),
    ...(crash ? { crash } : {}),
  }
  if (!crash)
    return isWanted(down) ? want({ ...down, inputs: reopened(down, now) }, []) : [down, []]
  return [{ ...down, pending: {} }, failPending(service, crash)]
}

function reopened(service: ServiceState, now: number): ServiceState['inputs'] {
  if (service.desired.compute !== 'start') return service.inputs
  return each(
    Object.keys(service.desired.inputs),
    () => ({ state: 'opening', since: now }) as const,
  )
}

function retrying(
  inputs: ServiceState['inputs'],
  error: NonNullable<ServiceState['crash']>,
  now: number,
) {
  return mapValues(
    inputs,
    (input): ActualInput => (isOpen(input) ? { state: 'retrying', since: now, error } : input),
  )
}

/** An input became something else. */
export function inputReported(service: ServiceState, report: InputReport, now: number): Step {
  const before = service.inputs[report.id]
  if (!before || !isOpen(before)) return [service, []]
  const { id, state, ...facts } = report
  const since = before.state === state ? before.since : now
  const { error, ...known } = before
  const next = withInput(service, id, { ...known, ...facts, state, since })
  return finish(state === 'live' ? withoutCrash(next) : next, [])
}

/** Two crashes were an output's: it stays off. */
export function outputQuarantined(
  service: ServiceState,
  id: string,
  error: NonNullable<ActualOutput['error']>,
  now: number,
): ServiceState {
  if (!(id in service.desired.outputs)) return service
  const output = { ...newOutput('failed', now), error, quarantined: true }
  return { ...service, outputs: { ...service.outputs, [id]: output } }
}

/** An output became something else, or counted on. */
export function outputReported(
  service: ServiceState,
  { id, ...report }: Extract<ServiceEvent, { type: 'output/report' }>['report'],
  now: number,
): ServiceState {
  const before = service.outputs[id]
  if (!before) return service
  const since = before.state === report.state ? before.since : now
  return { ...service, outputs: { ...service.outputs, [id]: { ...report, since } } }
}

/** A `once` request was answered. */
export function onceDone(service: ServiceState, request: string): Step {
  return finish({ ...service, pending: omit(service.pending, [request]) }, [])
}

/** One input replaced, if it is still wanted. */
export function withInput(service: ServiceState, id: string, input: ActualInput): ServiceState {
  return id in service.desired.inputs
    ? { ...service, inputs: { ...service.inputs, [id]: input } }
    : service
}
