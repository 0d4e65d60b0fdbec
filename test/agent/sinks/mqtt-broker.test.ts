import { describe, expect, it, onTestFinished } from 'vitest'
import { createSink } from '../../../agent/sinks/registry.ts'
import { conformsToSink, secretWord } from '../../conformance/sink.ts'
import { needs } from '../../interop/needs.ts'
import { freePort, type MosquittoOptions, mosquittoPeer, type Peer, tcpPeer } from './peers.ts'
import { give, result, sinkContext } from './surroundings.ts'

const installed = needs('mosquitto', 'mosquitto') && needs('mosquitto_sub', 'mosquitto-clients')

async function broker(options: MosquittoOptions = {}): Promise<Peer> {
  const peer = await mosquittoPeer(options)
  await peer.start()
  onTestFinished(() => peer.kill())
  return peer
}

const login = { user: 'edge', password: secretWord }
const urlOf = (port: number, topic = 'seen/{input}'): string =>
  `mqtt://edge:${secretWord}@127.0.0.1:${port}/${topic}`
const payloadOf = (line: string) => JSON.parse(line.slice(line.indexOf('{')))

if (installed) {
  conformsToSink('mqtt://', {
    async working() {
      const { port, arrived } = await broker(login)
      return {
        spec: { url: urlOf(port) },
        arrived: async (_, count) =>
          (await arrived.until(count)).map((line) => payloadOf(line).seq),
      }
    },
    troubles: {
      'is down': async () => ({
        spec: { url: urlOf(await freePort()) },
        cause: /cannot send to mqtt:\/\/127.*ECONNREFUSED/,
      }),
      'refuses the password': async () => {
        const { port } = await broker({ ...login, password: 'another' })
        return { spec: { url: urlOf(port) }, cause: /user name or password/ }
      },
      'says nothing': async () => {
        const peer = await tcpPeer()
        await peer.start()
        onTestFinished(() => peer.kill())
        return { spec: { url: urlOf(peer.port), timeoutMs: 300 }, cause: /within 300 ms/ }
      },
      'is killed': async () => {
        const peer = await broker(login)
        return {
          spec: { url: urlOf(peer.port) },
          happens: () => peer.kill(),
          cause: /clos|RESET|ended/,
        }
      },
      'has a name that nobody knows': async () => ({
        spec: { url: `mqtt://edge:${secretWord}@broker.invalid/x` },
        cause: /broker\.invalid/,
      }),
    },
    forbidden: {
      'the metadata service': () => ({
        spec: { url: `mqtt://edge:${secretWord}@169.254.169.254/x` },
        cause: /metadata.*outputs\.addresses/,
      }),
      "the agent's own broker": () => ({
        spec: { url: `mqtt://edge:${secretWord}@localhost:1883/x` },
        context: { addresses: { deny: [], allow: [], ownPorts: [1883] } },
        cause: /own port 1883/,
      }),
    },
  })
}

describe('mqtt://', () => {
  it.runIf(installed)('publishes with QoS 1 where the URL says, for each input', async () => {
    const { port, arrived } = await broker(login)
    const { context } = sinkContext()
    const sink = createSink({ url: urlOf(port, 'plant/{input}/seen%20things') }, context)
    await sink.open()
    await give(sink, result(0))
    await give(sink, result(1, { input: 'yard' }))
    const found = (await arrived.until(2)).map((line) => line.slice(0, line.indexOf('{') - 1))
    expect(found).toEqual(['1 plant/gate/seen things', '1 plant/yard/seen things'])
    await sink.close()
  })

  it.runIf(installed)('notices that the broker is gone while nothing is written', async () => {
    const peer = await broker(login)
    const { context, told } = sinkContext()
    const sink = createSink({ url: urlOf(peer.port) }, context)
    await sink.open()
    await peer.kill()
    expect(await told.trouble()).toMatchObject({ code: 'SINK_FAILED', retryable: true })
    expect(told.losses).toHaveLength(1)
    await sink.close()
  })

  it.each(['mqtt://host', 'mqtt://host/', 'mqtt://host/a/+/b', 'mqtt://host/a#b', 'mqtt:///topic'])(
    'refuses %s, which names no topic to publish on',
    (url) => {
      expect(() => createSink({ url }, sinkContext().context)).toThrow(
        expect.objectContaining({ code: 'SINK_UNSUPPORTED' }),
      )
    },
  )
})
