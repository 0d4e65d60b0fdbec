import { describe, expect, it } from 'vitest'
import { numbersOf, picturesOn, play, rtspClient } from './client.ts'
import { testServer, testStream } from './harness.ts'
import { madePacket } from './material.ts'

const queueBytes = 1024 * 1024
const pictureBytes = 100_000
/** More than the sockets of a system hold for one connection. */
const moreThanSystemBytes = 20_000_000
const isLagging = ({ fields }: { fields: object }) => 'laggingViewers' in fields

/** Two viewers of one stream; one of them does not read. */
async function twoViewers(limits: Parameters<typeof testServer>[1] = {}) {
  const server = await testServer({ queueBytes }, { keyMs: 10, ...limits })
  const stream = testStream(server)
  const [slow, quick] = [await rtspClient(server.port), await rtspClient(server.port)]
  const playing = [play(slow, server.url), play(quick, server.url)]
  await stream.said.until((said) => said.includes(2))
  stream.write(madePacket(0, { key: true }))
  await Promise.all(playing)
  slow.socket.pause()
  let written = 0
  async function write(key = false): Promise<void> {
    written += 1
    stream.write(madePacket(written, { key, bytes: pictureBytes }))
    await quick.frames.until(() => lastOf(quick) === written)
  }
  return { server, stream, slow, quick, write, written: () => written }
}

function lastOf(client: Awaited<ReturnType<typeof rtspClient>>): number | undefined {
  const last = client.frames.items.findLast(({ channel }) => channel === 0)?.data
  const marked = last !== undefined && last.readUInt8(1) >= 128
  return marked ? (last.at(-1) ?? 0) - 1 : undefined
}

describe('a viewer that does not read', () => {
  it('skips to the next key picture when too much waits, and slows nobody', async () => {
    const { server, stream, slow, quick, write, written } = await twoViewers()
    while (written() * pictureBytes < moreThanSystemBytes) await write()
    await server.lines.until((lines) => lines.some(isLagging))
    const keysBefore = stream.said.items.filter((one) => one === 'key').length
    // Nobody is to encode a key picture that cannot be sent.
    await write()
    await write(true)
    const missed = [written() - 1, written()]
    expect(stream.said.items.filter((one) => one === 'key').length).toBe(keysBefore)

    slow.socket.resume()
    await stream.said.until((said) => said.filter((one) => one === 'key').length > keysBefore)
    await write()
    await write(true)
    await write()
    const first = written() - 1
    await slow.frames.until(() => lastOf(slow) === written())
    const seen = numbersOf(picturesOn(slow))
    for (const number of [...missed, first - 1]) expect(seen).not.toContain(number)
    expect(seen.slice(-2)).toEqual([first, first + 1])
    const before = seen.slice(0, -2)
    expect(before).toEqual(before.map((_, index) => index))
    expect(before.length * pictureBytes).toBeGreaterThan(queueBytes)
    expect(numbersOf(picturesOn(quick))).toEqual(
      Array.from({ length: written() + 1 }, (_, index) => index),
    )
  })

  it('is given up when it reads nothing for the announced time', async () => {
    const { server, stream, write, written } = await twoViewers({ sessionMs: 200 })
    while (written() * pictureBytes < moreThanSystemBytes) await write()
    await stream.said.until((said) => said.at(-1) === 1)
    expect(stream.viewers).toBe(1)
    await server.lines.until((lines) => lines.some(({ fields }) => 'lostViewers' in fields))
  })
})
