import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Inbox, inbox } from '../../broker/harness.ts'
import { numbersOf, pictures, type RtspClient, rtpPacket, rtspClient, sessionOf } from './client.ts'
import { eagerStream, type TestServer, testServer } from './harness.ts'
import { madePacket } from './material.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
const receiverReport = Buffer.from('80c9000100000001', 'hex')

const isBye = (data: Buffer) => data.subarray(-8).readUInt8(1) === 203

interface Receiver {
  readonly rtp: Inbox<Buffer>
  readonly rtcp: Inbox<Buffer>
  readonly sockets: readonly [Socket, Socket]
  readonly transport: string
}

async function receiver(host = '127.0.0.1'): Promise<Receiver> {
  const open = async () => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    onTestFinished(() => void socket.close())
    const received = inbox<Buffer>()
    socket.on('message', (data) => received.add(data))
    socket.bind(0, host)
    await once(socket, 'listening')
    socket.setRecvBufferSize(4 * 1024 * 1024)
    return { socket, received }
  }
  const [rtp, rtcp] = [await open(), await open()]
  const ports = `${rtp.socket.address().port}-${rtcp.socket.address().port}`
  return {
    rtp: rtp.received,
    rtcp: rtcp.received,
    sockets: [rtp.socket, rtcp.socket],
    transport: `RTP/AVP;unicast;client_port=${ports}`,
  }
}

interface Playing {
  readonly session: string
  readonly serverPorts: readonly number[]
}

async function playUdp(client: RtspClient, url: string, transport: string): Promise<Playing> {
  const made = await client.ask('SETUP', url, { Transport: transport })
  const session = sessionOf(made)
  await client.ask('PLAY', url, { Session: session })
  const [, ...ports] = /server_port=(\d+)-(\d+)/.exec(made.headers.get('transport') ?? '') ?? []
  return { session, serverPorts: ports.map(Number) }
}

const numbers = ({ rtp }: Receiver) => {
  const packets = rtp.items.map((data) => rtpPacket(data))
  const last = packets.findLastIndex(({ marker }) => marker)
  return numbersOf(pictures(packets.slice(0, last + 1)))
}

async function udpViewer(limits: Parameters<typeof testServer>[1] = {}) {
  const server: TestServer = await testServer({}, limits)
  const stream = eagerStream(server)
  const client = await rtspClient(server.port)
  const target = await receiver()
  const playing = await playUdp(client, server.url, target.transport)
  return { server, stream, client, target, ...playing }
}

describe('over UDP', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ...(hasIpv6
      ? [
          ['::1', '::1'],
          ['::', '::1'],
          ['::', '127.0.0.1'],
        ]
      : []),
  ])('a server on %s serves a viewer at %s', async (host, address) => {
    const server = await testServer({ host: host ?? '' })
    const stream = eagerStream(server)
    const client = await rtspClient(server.port, address)
    const target = await receiver(address)
    const { serverPorts } = await playUdp(client, server.url, target.transport)
    stream.write(madePacket(1, { bytes: 4000 }))
    await target.rtp.until(() => numbers(target).length === 2)
    expect(numbers(target)).toEqual([0, 1])
    await target.rtcp.until((reports) => reports.length > 0)
    expect(target.rtcp.items[0]?.readUInt8(1)).toBe(200)
    const [rtpPort = 1, rtcpPort] = serverPorts
    expect([rtpPort % 2, rtcpPort]).toEqual([0, rtpPort + 1])
  })

  it('comes from the ports that it named', async () => {
    const server = await testServer()
    eagerStream(server)
    const client = await rtspClient(server.port)
    const target = await receiver()
    const from = Promise.all(target.sockets.map((socket) => once(socket, 'message')))
    const { serverPorts } = await playUdp(client, server.url, target.transport)
    expect((await from).map(([, { port }]) => port)).toEqual(serverPorts)
  })

  it('a large picture arrives whole, and in order', async () => {
    const { stream, target } = await udpViewer()
    for (let index = 1; index <= 5; index++) stream.write(madePacket(index, { bytes: 200_000 }))
    await target.rtp.until(() => numbers(target).length === 6)
    expect(numbers(target)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('goes to who asked, whatever destination it names', async () => {
    const server = await testServer()
    const stream = eagerStream(server)
    const client = await rtspClient(server.port)
    const [asking, other] = [await receiver(), await receiver('127.0.0.2')]
    const { port } = other.sockets[0].address()
    const transport = `${asking.transport};destination=127.0.0.2`
    const made = await client.ask('SETUP', server.url, { Transport: transport })
    expect(made.headers.get('transport')).not.toContain('127.0.0.2')
    await client.ask('PLAY', server.url, { Session: sessionOf(made) })
    stream.write(madePacket(1))
    await asking.rtp.until(() => numbers(asking).length === 2)
    expect([port > 0, other.rtp.items]).toEqual([true, []])
  })

  it('ends when nothing is heard for the announced time', async () => {
    const { server, stream, target } = await udpViewer({ sessionMs: 200 })
    await target.rtcp.until((all) => all.some(isBye))
    expect(stream.viewers).toBe(0)
    await server.lines.until((lines) => lines.some(({ fields }) => 'lostViewers' in fields))
  })

  /** Sends a report and writes a packet so many times, evenly over three session times. */
  async function watch(
    { stream, target, serverPorts }: Awaited<ReturnType<typeof udpViewer>>,
    report: Buffer,
  ): Promise<void> {
    const [, rtcpPort = 0] = serverPorts
    let index = 0
    const timer = setInterval(() => {
      target.sockets[1].send(report, rtcpPort, '127.0.0.1')
      stream.write(madePacket(++index))
    }, 50)
    onTestFinished(() => clearInterval(timer))
    await target.rtp.until((all) => all.length > 24)
  }

  it('goes on for as long as reports come', async () => {
    const viewer = await udpViewer({ sessionMs: 400 })
    await watch(viewer, receiverReport)
    expect(viewer.stream.viewers).toBe(1)
  })

  it('does not take anything for a report', async () => {
    const viewer = await udpViewer({ sessionMs: 400 })
    void watch(viewer, Buffer.from('not a report'))
    await viewer.target.rtcp.until((all) => all.some(isBye))
    expect(viewer.stream.viewers).toBe(0)
  })

  it('goes on after its connection closed, if reports come', async () => {
    const viewer = await udpViewer({ sessionMs: 10_000, orphanMs: 400 })
    viewer.client.socket.destroy()
    await watch(viewer, receiverReport)
    expect(viewer.stream.viewers).toBe(1)
  })

  it('ends soon after its connection closed without a word', async () => {
    const { client, target, stream } = await udpViewer({ sessionMs: 60_000, orphanMs: 50 })
    client.socket.destroy()
    await target.rtcp.until((all) => all.some(isBye))
    expect(stream.viewers).toBe(0)
  })

  it('is controlled from the address that set it up only', async () => {
    const { server, session } = await udpViewer()
    const same = await rtspClient(server.port)
    expect((await same.ask('GET_PARAMETER', server.url, { Session: session })).status).toBe(200)
    const other = await rtspClient(server.port, '127.0.0.1', '127.0.0.2')
    expect((await other.ask('TEARDOWN', server.url, { Session: session })).status).toBe(454)
  })
})
