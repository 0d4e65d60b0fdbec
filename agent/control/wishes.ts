import { isDeepStrictEqual } from 'node:util'
import type { InputSpec, OutputSpec } from '../../schemas/control.ts'
import type { Once } from '../service/messages.ts'
import { closeInput, closeOutput, openInput, openOutput, send } from './effects.ts'
import { each, mapValues, merged, omit } from './records.ts'
import {
  type ActualInput,
  type Desired,
  type Effect,
  isOpen,
  isWanted,
  newOutput,
  type ServiceEvent,
  type ServiceState,
  type Step,
  withModel,
} from './service-state.ts'

/** Merges or replaces the wanted inputs. Only those that differ are closed and opened. */
export function setInputs(
  service: ServiceState,
  patch: Readonly<Record<string, InputSpec | null>>,
  replace: boolean,
  now: number,
): Step {
  const before = service.desired.inputs
  const inputs = merged(replace ? {} : before, patch)
  const gone = Object.keys(before).filter((id) => !(id in inputs))
  const fresh = Object.keys(patch).filter((id) => id in inputs && needsOpening(service, id, inputs))
  const close = [...gone, ...fresh].filter((id) => isOpen(service.inputs[id]))
  const running = service.desired.compute === 'start'
  const kept = omit(service.inputs, gone)
  const next = {
    ...service,
    desired: { ...service.desired, inputs },
    inputs: {
      ...kept,
      ...each(fresh, () => ({ state: running ? 'opening' : 'closed', since: now })),
    },
  } satisfies ServiceState
  const effects = [...close.map(closeInput), ...fresh.flatMap((id) => openInput(next, id))]
  return finish(next, service.process === 'up' ? effects : [])
}

/** A new or changed input is opened; so is one that has ended or failed, when it is asked for again. */
function needsOpening(
  service: ServiceState,
  id: string,
  inputs: Readonly<Record<string, InputSpec>>,
): boolean {
  const state = service.inputs[id]?.state
  return (
    state === undefined ||
    state === 'ended' ||
    state === 'failed' ||
    !isDeepStrictEqual(service.desired.inputs[id], inputs[id])
  )
}

/** Merges the wanted outputs. Only those that differ are closed and opened. */
export function setOutputs(
  service: ServiceState,
  patch: Readonly<Record<string, OutputSpec | null>>,
  now: number,
): Step {
  const before = service.desired.outputs
  const outputs = merged(before, patch)
  const gone = Object.keys(before).filter((id) => !(id in outputs))
  const fresh = Object.keys(patch).filter(
    (id) =>
      id in outputs &&
      (service.outputs[id]?.state === 'failed' || !isDeepStrictEqual(before[id], outputs[id])),
  )
  const up = service.process === 'up'
  const opening = each(fresh, () => newOutput(up ? 'opening' : 'closed', now))
  const next = {
    ...service,
    desired: { ...service.desired, outputs },
    outputs: { ...omit(service.outputs, gone), ...opening },
  }
  const close = [...gone, ...fresh].filter((id) => id in before)
  const effects = [...close.map(closeOutput), ...fresh.flatMap((id) => openOutput(next, id))]
  return [next, up ? effects : []]
}

/** Another model or device is fetched and loaded; options alone are handed on at once. */
export function setModel(
  service: ServiceState,
  change: Extract<ServiceEvent, { type: 'model/set' }>,
): Step {
  const before = service.desired.model
  const model = {
    id: change.id ?? before.id,
    device: change.device ?? before.device,
    options: { ...(change.replace ? {} : before.options), ...change.options },
  }
  const reload =
    model.id !== before.id ||
    model.device !== before.device ||
    (change.id !== undefined && service.model.state === 'failed')
  const next = { ...service, desired: { ...service.desired, model } }
  if (reload) return fetchModel(next)
  if (service.process !== 'up' || isDeepStrictEqual(model, before)) return [next, []]
  return [next, [send({ type: 'model/options', options: model.options })]]
}

/** Opens or closes every input. */
export function setCompute(service: ServiceState, compute: Desired['compute'], now: number): Step {
  if (service.desired.compute === compute) return [service, []]
  const desired = { ...service.desired, compute }
  if (compute === 'start') {
    const opening = each(
      Object.keys(desired.inputs),
      () => ({ state: 'opening', since: now }) as const,
    )
    const next = { ...service, desired, inputs: opening }
    const open = Object.keys(desired.inputs).flatMap((id) => openInput(next, id))
    return want(next, service.process === 'up' ? open : [])
  }
  const close = Object.keys(service.inputs)
    .filter((id) => isOpen(service.inputs[id]))
    .map(closeInput)
  return finish(
    { ...service, desired, inputs: closed(service.inputs, now) },
    service.process === 'up' ? close : [],
  )
}

/** One request on top of what runs; it wakes the process if need be. */
export function addOnce(service: ServiceState, once: Once): Step {
  const next = { ...service, pending: { ...service.pending, [once.request]: once } }
  return want(next, service.process === 'up' ? [send({ type: 'once', once })] : [])
}

/** Nobody wants its answers any more. A process that has begun it tells when it has let go of it. */
export function cancelOnce(service: ServiceState, request: string): Step {
  if (!(request in service.pending)) return [service, []]
  if (service.process === 'up') return [service, [send({ type: 'once/cancel', request })]]
  return finish({ ...service, pending: omit(service.pending, [request]) }, [])
}

/** There is work: the process and the model are needed. */
export function want(service: ServiceState, effects: readonly Effect[]): Step {
  const [fetched, fetch] =
    service.model.state === 'unloaded' ||
    (service.model.state === 'failed' && !service.model.running)
      ? fetchModel(service)
      : [service, []]
  const woken = { ...fetched, lingering: false }
  if (woken.process !== 'down') return [woken, [...effects, ...fetch]]
  return [{ ...woken, process: 'starting' }, [...effects, { type: 'process/start' }, ...fetch]]
}

/** When the last work is done: finite inputs stop the compute, and the process is let go later. */
export function finish(service: ServiceState, effects: readonly Effect[]): Step {
  const states = Object.keys(service.desired.inputs).map((id) => service.inputs[id]?.state)
  const over = states.length > 0 && states.every((state) => state === 'ended')
  if (service.desired.compute === 'start' && over) {
    return finish({ ...service, desired: { ...service.desired, compute: 'stop' } }, effects)
  }
  if (isWanted(service) || service.process === 'down' || service.lingering)
    return [service, effects]
  return [{ ...service, lingering: true }, [...effects, { type: 'linger' }]]
}

/** Asks for the model's file, unless nothing would be done with it now. */
export function fetchModel(service: ServiceState): Step {
  const { id } = service.desired.model
  const { running } = service.model
  if (!isWanted(service) && service.process === 'down')
    return [withModel(service, { state: 'unloaded' }), []]
  const next = withModel(service, { state: 'pulling', ...(running ? { running } : {}) })
  return [next, [{ type: 'model/fetch', id }]]
}

/** The same inputs, none of them read any more. */
export function closed(inputs: ServiceState['inputs'], now: number): ServiceState['inputs'] {
  return mapValues(
    inputs,
    (input): ActualInput => (isOpen(input) ? { state: 'closed', since: now } : input),
  )
}
