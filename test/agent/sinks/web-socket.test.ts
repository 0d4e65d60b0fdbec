import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSink } from '../../../agent/sinks/registry.ts'
import { conformsToSink, secretWord } from '../../conformance/sink.ts'
import { freePort, type Peer, socketPeer, tcpPeer } from './peers.ts'
import { give, result, sinkContext } from './surroundings.ts'

async function started(peer: Peer): Promise<Peer> {
  await peer.start()
  onTestFinished(() => peer.kill())
  return peer
}

const withLogin = (port: number): string => `ws://edge:${secretWord}@127.0.0.1:${port}/socket?t=1`

conformsToSink('ws://', {
  async working() {
    const { port, arrived } = await started(await socketPeer())
    return {
      spec: { url: withLogin(port) },
      arrived: async (_, count) => (await arrived.until(count)).map((text) => JSON.parse(text).seq),
    }
  },
  troubles: {
    'is down': async () => ({
      spec: { url: withLogin(await freePort()) },
      cause: /cannot send to ws:\/\/127.*ECONNREFUSED/,
    }),
    'is no WebSocket server': async () => {
      const server = createServer((_, response) => response.writeHead(401).end())
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => {
        server.close()
        server.closeAllConnections()
      })
      const { port } = server.address() as AddressInfo
      return { spec: { url: withLogin(port) }, cause: /401/ }
    },
    'says nothing': async () => {
      const { port } = await started(await tcpPeer())
      return { spec: { url: withLogin(port), timeoutMs: 300 }, cause: /timed out/ }
    },
    'closes midway': async () => {
      const { port } = await started(
        await socketPeer((socket) => socket.on('message', () => socket.close(1013, 'too busy'))),
      )
      return { spec: { url: withLogin(port) }, cause: /closed the connection \(1013: too busy\)/ }
    },
    'is killed': async () => {
      const peer = await started(await socketPeer())
      return { spec: { url: withLogin(peer.port) }, happens: peer.kill, cause: /closed|RESET/ }
    },
  },
  forbidden: {
    'the metadata service': () => ({
      spec: { url: `ws://edge:${secretWord}@169.254.169.254/x` },
      cause: /metadata.*outputs\.addresses/,
    }),
    "a name of the agent's own port": () => ({
      spec: { url: `ws://edge:${secretWord}@localhost:8080/x` },
      context: { addresses: { deny: [], allow: [], ownPorts: [8080] } },
      cause: /own port 8080/,
    }),
  },
})

describe('ws://', () => {
  it('notices a server that no longer answers pings', async () => {
    const { url } = await started(await socketPeer(undefined, false))
    const { context, told } = sinkContext()
    const sink = createSink({ url, timeoutMs: 100 }, context)
    await sink.open()
    expect(await told.trouble()).toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringMatching(/within 100 ms/),
    })
    await expect(give(sink, result(0))).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await sink.close()
  })

  it('stays with a server that answers them', async () => {
    let pings = 0
    let tell: () => void = () => undefined
    const pinged = new Promise<void>((resolve) => {
      tell = resolve
    })
    const peer = await socketPeer((socket) => {
      socket.on('ping', () => {
        pings += 1
        if (pings === 4) tell()
      })
    })
    const { url } = await started(peer)
    const { context, told } = sinkContext()
    const sink = createSink({ url, timeoutMs: 100 }, context)
    onTestFinished(() => sink.close())
    await sink.open()
    await pinged
    expect(told.losses).toEqual([])
  })

  it('gives results up, and nothing else, while the server does not read', async () => {
    const { url } = await started(await socketPeer((socket) => socket.pause()))
    const { context, told } = sinkContext()
    const sink = createSink({ url, timeoutMs: 60_000 }, context)
    await sink.open()
    const tag = 'x'.repeat(500_000)
    const writes = Array.from({ length: 40 }, (_, seq) => give(sink, result(seq, { tag })))
    const refused = await Promise.any(
      writes.map((write) =>
        write.then(
          () => Promise.reject(),
          (error: unknown) => error,
        ),
      ),
    )
    expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(told.losses).toEqual([])
    const all = Promise.allSettled(writes)
    await sink.close()
    await all
  })
})
