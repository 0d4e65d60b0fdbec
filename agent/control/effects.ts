import type { Effect, ServiceState } from './service-state.ts'

/** A message for the service's process. */
export function send(message: Extract<Effect, { type: 'send' }>['message']): Effect {
  return { type: 'send', message }
}

/** Opens a desired input, if the service computes. */
export function openInput(service: ServiceState, id: string): Effect[] {
  const spec = service.desired.inputs[id]
  if (!spec || service.desired.compute !== 'start') return []
  return [send({ type: 'input/open', id, spec })]
}

/** Opens a desired output. */
export function openOutput(service: ServiceState, id: string): Effect[] {
  const spec = service.desired.outputs[id]
  return spec ? [send({ type: 'output/open', id, spec })] : []
}

/** Closes one input. */
export function closeInput(id: string): Effect {
  return send({ type: 'input/close', id })
}

/** Closes one output. */
export function closeOutput(id: string): Effect {
  return send({ type: 'output/close', id })
}

/** Loads the model that lies ready, if one does. */
export function loadModel(service: ServiceState): Effect[] {
  const { resolved, state } = service.model
  const { id, device, options } = service.desired.model
  if (resolved) return [send({ type: 'model/load', model: resolved, device, options })]
  return state === 'unloaded' ? [{ type: 'model/fetch', id }] : []
}

/** Every pending `once` fails for the same reason. */
export function failPending(service: ServiceState, error: ServiceState['crash'] & {}): Effect[] {
  return Object.keys(service.pending).map((request) => ({ type: 'once/failed', request, error }))
}
