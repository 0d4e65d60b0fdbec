import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hookPeer, mosquittoPeer, type Peer, socketPeer } from '../agent/sinks/peers.ts'
import { needs } from '../interop/needs.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'

const installed = needs('mosquitto', 'mosquitto') && needs('mosquitto_sub', 'mosquitto-clients')

/** The seqs that were delivered while one destination was away. */
interface Outage {
  readonly victim: string
  readonly from: number
  readonly to: number
}

const seqIn = (text: string): number => Number(/"seq":(\d+)/.exec(text)?.[1])
const results = 'spread/detections/default'

describe.skipIf(!installed)('five destinations at once', () => {
  let agent: AgentUnderTest
  let peers: Readonly<Record<string, Peer>>
  const outages: Outage[] = []

  const published = () => agent.heard.filter(({ topic }) => topic === agent.topic(results))
  const lastSeq = (): number => published().at(-1)?.value.seq

  beforeAll(async () => {
    agent = await startAgentUnderTest()
    peers = {
      broker: await mosquittoPeer({ user: 'edge', password: 'geheim42' }),
      hook: await hookPeer(),
      socket: await socketPeer(),
    }
    for (const peer of Object.values(peers)) await peer.start()
    await agent.ask('$cmd/service/add', {
      service: 'spread',
      input: { url: media('dog.mp4'), loop: true, fps: 10 },
      output: {
        video: null,
        broker: `mqtt://edge:geheim42@127.0.0.1:${peers.broker?.port}/seen/{input}`,
        hook: { url: peers.hook?.url, secret: 'correct horse' },
        socket: peers.socket?.url,
        lines: 'file:seen.jsonl',
      },
    })
    for (const { arrived } of Object.values(peers)) await arrived.until(3)
  }, 60_000)

  afterAll(async () => {
    await agent.stop()
    for (const peer of Object.values(peers)) await peer.kill()
  })

  it.each([
    ['broker', /closed the connection|ended by|ECONN/],
    ['hook', /ECONNREFUSED|hang up|ECONNRESET/],
    ['socket', /closed the connection|ECONN/],
  ])(
    'tells that %s is away, and why, and when it is back',
    async (victim, cause) => {
      const peer = peers[victim]
      if (!peer) throw new Error(`there is no ${victim}`)
      const since = agent.heard.length
      const from = lastSeq()
      await peer.kill()
      const away = await agent.next(
        'spread/output',
        (all) => all[victim].state === 'retrying',
        since,
      )
      expect(away.value[victim].error).toMatchObject({
        code: 'SINK_FAILED',
        message: expect.stringMatching(cause),
      })
      for (const [id, { state }] of Object.entries<{ state: string }>(away.value)) {
        if (id !== victim) expect(state).toBe('open')
      }
      await agent.next(results, ({ seq }) => seq > from + 15)
      const back = agent.heard.length
      await peer.start()
      const count = peer.arrived.items.length
      await agent.next('spread/output', (all) => all[victim].state === 'open', back)
      await peer.arrived.until(count + 3)
      outages.push({ victim, from, to: lastSeq() })
    },
    60_000,
  )

  it('lost nothing anywhere but at a broker and a socket that were away themselves', async () => {
    expect(outages).toHaveLength(3)
    const stopped = agent.next('spread/state', ({ state }) => state === 'idle')
    await agent.ask('spread/compute', 'stop')
    await stopped
    const all = published()
    expect(new Set(all.map(({ value }) => value.run)).size).toBe(1)
    const seqs = all.map(({ value }) => value.seq)
    expect(seqs.length).toBeGreaterThan(45)
    expect(seqs).toEqual(seqs.map((_, index) => index))

    // A line is written after its result is published, by another process.
    const file = (): string => readFileSync(join(agent.dataFolder, 'media/seen.jsonl'), 'utf8')
    await expect.poll(() => file().trim().split('\n').map(seqIn)).toEqual(seqs)
    const arrived = Object.entries(peers).map(
      ([id, peer]) => [id, new Set(peer.arrived.items.map(seqIn))] as const,
    )
    for (const [id, found] of arrived) {
      const meanwhile = outages
        .filter(({ victim }) => victim !== id || victim === 'hook')
        .flatMap(({ from, to }) => seqs.slice(from, to))
      expect(meanwhile.length).toBeGreaterThan(30)
      expect([id, meanwhile.filter((seq) => !found.has(seq))]).toEqual([id, []])
    }
  }, 60_000)

  it('told nobody the secret or the password', () => {
    const wish = agent.topic('$cmd/service/add')
    const told = agent.heard.filter(({ topic }) => topic !== wish)
    const everything = told.map(({ value }) => JSON.stringify(value) ?? '').join('\n')
    expect(everything).toContain('"secret":"***"')
    expect(/geheim42|correct horse/.test(everything)).toBe(false)
  })
})
