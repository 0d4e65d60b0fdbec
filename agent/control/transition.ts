import { observeModel } from './model-news.ts'
import {
  inputReported,
  lingerOver,
  onceDone,
  outputQuarantined,
  outputReported,
  processExited,
  processReady,
  withInput,
} from './news.ts'
import type { ServiceEvent, ServiceState, Step } from './service-state.ts'
import { addOnce, cancelOnce, setCompute, setInputs, setModel, setOutputs } from './wishes.ts'

/**
 * The whole control logic of a service and its inputs. Pure: the same state, event and time give the
 * same answer. Asking twice for the same thing changes nothing, and a change of one part causes
 * effects on that part only.
 *
 * @param now Unix ms
 */
export function transition(service: ServiceState, event: ServiceEvent, now: number): Step {
  switch (event.type) {
    case 'input/set':
      return setInputs(service, event.patch, event.replace, now)
    case 'output/set':
      return setOutputs(service, event.patch, now)
    case 'model/set':
      return setModel(service, event)
    case 'compute/start':
      return setCompute(service, 'start', now)
    case 'compute/stop':
      return setCompute(service, 'stop', now)
    case 'compute/once':
      return addOnce(service, event.once)
    case 'once/cancel':
      return cancelOnce(service, event.request)
    default:
      return observe(service, event, now)
  }
}

type News = Exclude<
  ServiceEvent,
  {
    type:
      | 'input/set'
      | 'output/set'
      | 'model/set'
      | 'compute/start'
      | 'compute/stop'
      | 'compute/once'
      | 'once/cancel'
  }
>

function observe(service: ServiceState, event: News, now: number): Step {
  switch (event.type) {
    case 'process/ready':
      return processReady(service, now)
    case 'process/exited':
      return processExited(service, event.crash, now)
    case 'input/quarantined':
      return [withInput(service, event.id, { state: 'failed', since: now, error: event.error }), []]
    case 'output/quarantined':
      return [outputQuarantined(service, event.id, event.error, now), []]
    case 'input/report':
      return inputReported(service, event.report, now)
    case 'output/report':
      return [outputReported(service, event.report, now), []]
    case 'once/done':
      return onceDone(service, event.request)
    case 'linger/over':
      return lingerOver(service)
    default:
      return observeModel(service, event)
  }
}
