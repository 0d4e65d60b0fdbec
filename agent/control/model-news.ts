import { failPending, loadModel } from './effects.ts'
import {
  type ServiceEvent,
  type ServiceState,
  type Step,
  withModel,
  withoutCrash,
} from './service-state.ts'

/** News of the model: being fetched, there, loaded, or failed while an older one may go on. */
export function observeModel(
  service: ServiceState,
  event: Extract<
    ServiceEvent,
    { type: 'model/progress' | 'model/fetched' | 'model/loaded' | 'model/failed' }
  >,
): Step {
  const { id: wanted } = service.desired.model
  const about = event.type === 'model/fetched' ? event.model.manifest.id : event.id
  if (about !== wanted) return [service, []]
  const { running, resolved } = service.model
  const kept = running ? { running } : {}
  switch (event.type) {
    case 'model/progress':
      return [withModel(service, { ...kept, state: 'pulling', progress: event.progress }), []]
    case 'model/fetched': {
      const next = withModel(service, { ...kept, state: 'loading', resolved: event.model })
      return [next, service.process === 'up' ? loadModel(next) : []]
    }
    case 'model/loaded': {
      if (!resolved) return [service, []]
      const now = { model: resolved, provider: event.provider }
      return [withoutCrash(withModel(service, { state: 'ready', resolved, running: now })), []]
    }
    case 'model/failed':
      return modelFailed(withModel(service, { ...kept, state: 'failed', error: event.error }))
  }
}

function modelFailed(service: ServiceState): Step {
  const { error, running } = service.model
  if (!error || running) return [service, []]
  return [{ ...service, pending: {} }, failPending(service, error)]
}
