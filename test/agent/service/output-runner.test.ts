import { readdirSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import type { OutputReport } from '../../../agent/service/messages.ts'
import { OutputRunner } from '../../../agent/service/output-runner.ts'
import type { OutputSpec } from '../../../schemas/control.ts'
import { type HookRequest, hookPeer, socketPeer } from '../sinks/peers.ts'
import { greyFrame, result, sinkContext } from '../sinks/surroundings.ts'

/** A runner, and what it reported. */
function runner(spec: OutputSpec, mediaFolder?: string) {
  const reports: OutputReport[] = []
  const faults: string[] = []
  const waiting = new Set<() => void>()
  const { context } = sinkContext(mediaFolder === undefined ? {} : { mediaFolder })
  const made = new OutputRunner({
    id: 'out',
    spec,
    atOnce: 3,
    context,
    report(report) {
      reports.push(report)
      for (const look of waiting) look()
    },
    fault: ({ code, message }) => faults.push(`${code} ${message}`),
  })
  onTestFinished(() => made.close())
  const until = (passes: (report: OutputReport) => boolean): Promise<OutputReport> =>
    new Promise((resolve) => {
      let next = 0
      const look = (): void => {
        for (; next < reports.length; next += 1) {
          const report = reports[next]
          if (!report || !passes(report)) continue
          waiting.delete(look)
          resolve(report)
          return
        }
      }
      waiting.add(look)
      look()
    })
  const write = (seq: number, others?: Parameters<typeof result>[1]): void => {
    const frame = greyFrame()
    void made.write({ result: result(seq, others), frame }, false)
    frame.release()
  }
  return { made, reports, faults, until, write }
}

/** Waits until it reports this. */
async function counted(made: OutputRunner, reports: OutputReport[], expected: object) {
  const last = (): OutputReport | undefined => {
    made.tick()
    return reports.at(-1)
  }
  await expect.poll(last, { timeout: 10_000 }).toMatchObject(expected)
}

describe('an output', () => {
  it('keeps what it is given while a webhook is away, and reports both ends of that', async () => {
    const peer = await hookPeer()
    const { made, reports, until, write } = runner({ url: peer.url })
    await made.open()
    for (let seq = 0; seq < 30; seq += 1) write(seq)
    expect(liveFrames()).toBe(0)
    const retrying = await until(({ state }) => state === 'retrying')
    expect(retrying.error).toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringMatching(/ECONNREFUSED/),
    })
    await peer.start()
    onTestFinished(() => peer.kill())
    await peer.arrived.until(30)
    await counted(made, reports, { state: 'open', written: 30, dropped: 0 })
  })

  it('opens a destination again that ended while nothing was written', async () => {
    const peer = await socketPeer()
    await peer.start()
    const { made, reports, until } = runner({ url: peer.url })
    await made.open()
    await peer.kill()
    const retrying = await until(({ state }) => state === 'retrying')
    expect(retrying.error?.message).toMatch(/closed the connection/)
    await peer.start()
    onTestFinished(() => peer.kill())
    const before = reports.length
    await until((report) => report.state === 'open' && reports.indexOf(report) >= before - 1)
    expect(reports.map(({ state }) => state)).toContain('retrying')
  })

  it('counts what a sink gives up, and goes on', async () => {
    const requests: HookRequest[] = []
    const peer = await hookPeer((request, response) => {
      requests.push(request)
      response.writeHead(requests.length === 1 ? 400 : 200).end()
    })
    await peer.start()
    onTestFinished(() => peer.kill())
    const { made, reports, write } = runner({ url: peer.url })
    await made.open()
    write(0)
    write(1)
    await peer.arrived.until(1)
    await counted(made, reports, { state: 'open', written: 1, dropped: 1 })
  })

  it('tells of what was not delivered when it is closed', async () => {
    const { made, faults, write } = runner({ url: (await hookPeer()).url })
    await made.open()
    for (let seq = 0; seq < 3; seq += 1) write(seq)
    await made.close()
    const early = faults.filter((fault) => /^SINK_FAILED .*closed/.test(fault))
    expect(early).toHaveLength(3)
  })

  it('breaks off an opening when it is closed', async () => {
    const peer = await socketPeer()
    const { made } = runner({ url: `${peer.url}`, timeoutMs: 60_000 })
    const opening = made.open()
    const start = performance.now()
    await made.close()
    await opening
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it.each(['file:clip.mp4', 'file:{input}-{seq}.jpg'])(
    'keeps every result of inputs that wait for it, from the first one on, in %s',
    async (url) => {
      const { made, reports } = runner({ url })
      await made.open()
      const slot = async (input: string, seqs: number[]): Promise<void> => {
        for (let seq = seqs.shift(); seq !== undefined; seq = seqs.shift()) {
          const frame = greyFrame()
          const next = made.write({ result: result(seq, { input }), frame }, true)
          frame.release()
          await next
        }
      }
      const slots = ['gate', 'yard'].flatMap((input) => {
        const seqs = Array.from({ length: 20 }, (_, seq) => seq)
        return [1, 2, 3].map(() => slot(input, seqs))
      })
      await Promise.all(slots)
      await counted(made, reports, { state: 'open', written: 40, dropped: 0 })
      expect(liveFrames()).toBe(0)
    },
  )

  it('spends no rate on results that make no picture', async () => {
    const mediaFolder = sinkContext().context.mediaFolder
    const spec = { url: 'file:x.jpg', maxPerSecond: 0.001 }
    const { made, write } = runner(spec, mediaFolder)
    await made.open()
    write(0, { items: [] })
    write(1)
    write(2)
    await made.close()
    await expect.poll(() => liveFrames()).toBe(0)
    expect(readdirSync(mediaFolder)).toEqual([expect.stringMatching(/-00000001\.jpg$/)])
  })
})
