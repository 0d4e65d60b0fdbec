import type { OutputSpec } from '../../schemas/control.ts'
import type { Sink } from '../core/stages.ts'
import type { SinkContext } from './sink-context.ts'
import { videoSink } from './video-sink.ts'

/**
 * `rtsp:` — annotated video, served by the agent at `/<service>/<output>/<input>`; encoded only while
 * somebody watches.
 */
export function rtspSink(spec: OutputSpec, context: SinkContext): Sink {
  return videoSink(spec, context, async (input, format, control) => {
    const stream = context.serve(input, format, control)
    return {
      write: async (packet) => stream.write(packet),
      close: async () => stream.close(),
    }
  })
}
