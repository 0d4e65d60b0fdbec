import type { StreamView } from '../../schemas/http.ts'
import type { StreamStatus } from '../../schemas/state.ts'
import type { StreamServer } from '../core/video.ts'
import type { ServiceState } from './service-state.ts'
import { phaseOf } from './view.ts'

/** A stream that is wanted, whether it is there yet or not. */
export interface PromisedStream {
  readonly output: string
  readonly input: string
}

/** Every stream that the service will serve as soon as its inputs are open: `rtsp:` outputs by inputs. */
export function promisedStreams(service: ServiceState): PromisedStream[] {
  const phase = phaseOf(service)
  if (service.desired.compute !== 'start' || phase === 'failed' || phase === 'idle') return []
  const inputs = Object.keys(service.desired.inputs).filter((id) => {
    const state = service.inputs[id]?.state
    return state !== 'ended' && state !== 'failed'
  })
  return Object.entries(service.desired.outputs).flatMap(([output, spec]) => {
    if (spec.url.toLowerCase() !== 'rtsp:') return []
    const shown = inputs.filter((input) => spec.inputs?.includes(input) ?? true)
    return shown.map((input) => ({ output, input }))
  })
}

/** Where every wanted stream is or will be, by `<output>/<input>`; of those that are open, everything. */
export function streamViews(
  id: string,
  service: ServiceState,
  server: Pick<StreamServer, 'url'>,
  open: Readonly<Record<string, StreamStatus>>,
): Readonly<Record<string, StreamView>> {
  const promised = promisedStreams(service).map(({ output, input }) => {
    const path = `${output}/${input}`
    return [path, { url: server.url(`/${id}/${path}`) }] as const
  })
  return { ...Object.fromEntries(promised), ...open }
}
