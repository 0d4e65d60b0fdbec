import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sample, Source, SourceEvents } from '../core/stages.ts'
import { newestSlot } from '../media/newest-slot.ts'
import { wait } from '../media/wait.ts'
import type { FeedImage, SourceContext } from './context.ts'
import { samplesBy } from './iteration.ts'
import { stillSample } from './still-samples.ts'

/** `mqtt:<topic>`: pictures that clients publish on a topic of the agent's own broker; the newest wins. */
export function mqttSource(spec: InputSpec, context: SourceContext): Source {
  const topic = topicOf(spec.url)
  return {
    live: true,
    samples: samplesBy((signal, events) => mqttSamples({ topic, spec, context }, signal, events)),
  }
}

interface MqttPlay {
  readonly topic: string
  readonly spec: InputSpec
  readonly context: SourceContext
}

async function* mqttSamples(
  play: MqttPlay,
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const { topic, spec, context } = play
  const slot = newestSlot<FeedImage>(events.dropped)
  const unsubscribe = context.images.subscribe(topic, slot.put)
  try {
    events.opened(spec.fps === undefined ? {} : { fps: spec.fps })
    let nextAt = performance.now()
    for (;;) {
      await wait(nextAt - performance.now(), signal)
      const image = await slot.take(signal)
      if (!image || signal.aborted) return
      const sample = await decoded(play, image, events)
      if (!sample) continue
      nextAt = performance.now() + (spec.fps === undefined ? 0 : 1000 / spec.fps)
      yield sample
    }
  } finally {
    unsubscribe()
  }
}

async function decoded(
  { topic, context }: MqttPlay,
  { payload, at }: FeedImage,
  events: SourceEvents,
): Promise<Sample | undefined> {
  const name = `the message on ${topic}`
  try {
    return await stillSample(
      payload,
      {
        name,
        maxPixels: context.limits.maxPixels,
        capturedAt: at,
      },
      context,
    )
  } catch (error) {
    events.skipped(AgentError.from(error, 'SOURCE_DECODE'))
    return undefined
  }
}

function topicOf(url: string): string {
  const topic = url.slice('mqtt:'.length)
  if (topic !== '' && !topic.startsWith('//') && !/[+#\0]/.test(topic)) return topic
  throw new AgentError(
    'SOURCE_UNSUPPORTED',
    `'${url}' names no topic of the agent's own broker: mqtt:<topic> without wildcards is allowed`,
  )
}
