import { describe, expect, it } from 'vitest'
import { mqttSink } from '../../../agent/sinks/mqtt.ts'
import { conformsToSink } from '../../conformance/sink.ts'
import { give, result, sinkContext } from './surroundings.ts'

conformsToSink('mqtt:', {
  working: async () => ({
    spec: { url: 'mqtt:' },
    arrived: async ({ events }) =>
      events.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).seq),
  }),
  troubles: {},
  forbidden: {
    'a topic below no configured prefix': () => ({
      spec: { url: 'mqtt:edge/1/lab/$state' },
      cause: /allowed:.*plant\//,
    }),
    'a topic with wildcards': () => ({ spec: { url: 'mqtt:plant/#' }, cause: /wildcards/ }),
  },
})

describe('mqtt:', () => {
  it("publishes on the service's own topic of the input", async () => {
    const { context, told } = sinkContext()
    await give(mqttSink({ url: 'mqtt:' }, context), result(0))
    expect(told.events[0]).toMatchObject({ path: 'detections/gate', qos: 0 })
  })

  it('publishes on a topic of its own for each input', async () => {
    const { context, told } = sinkContext()
    await give(mqttSink({ url: 'mqtt:plant/{input}' }, context), result(0))
    expect(told.events[0]).toMatchObject({ topic: 'plant/gate' })
  })
})
