import { expect, it } from 'vitest'
import type { FromService } from '../../../agent/service/messages.ts'
import { CREDIT_BYTES, outbox } from '../../../agent/service/outbox.ts'
import { servedStreams } from '../../../agent/service/served-streams.ts'

const id = { output: 'video', input: 'gate' }
const format = { codec: 'h264', width: 640, height: 360, fps: 30 } as const
const half = new Uint8Array(CREDIT_BYTES / 2 + 1)

/** The streams of a process, what it sent, and whom main told what. */
function offering() {
  const messages: FromService[] = []
  const packets: [stream: number, pts: number][] = []
  const told: string[] = []
  const box = outbox(
    (message) => messages.push(message),
    (stream, { pts }) => packets.push([stream, pts]),
  )
  const streams = servedStreams(box)
  const open = (name: string) =>
    streams.open(id, format, {
      wanted: (on) => told.push(`${name} ${on ? 'wanted' : 'not wanted'}`),
      key: () => told.push(`${name} key`),
    })
  return { messages, packets, told, box, streams, open }
}

it('gives each opening of a stream a number of its own', () => {
  const { messages, packets, open } = offering()
  const first = open('first')
  first.write({ data: half, pts: 0, key: true })
  first.close()
  open('second').write({ data: half, pts: 3000, key: true })
  expect(messages).toEqual([
    { type: 'stream/open', stream: 0, id, format },
    { type: 'stream/close', stream: 0, packets: 1 },
    { type: 'stream/open', stream: 1, id, format },
  ])
  expect(packets).toEqual([
    [0, 0],
    [1, 3000],
  ])
})

it('tells no stream what was meant for one of the same name before it', () => {
  const { told, streams, open } = offering()
  open('first').close()
  open('second')
  streams.wanted(0, true)
  streams.key(0)
  expect(told).toEqual([])
  streams.wanted(1, true)
  streams.key(1)
  expect(told).toEqual(['second wanted', 'second key'])
})

it('drops packets past the credit, and then all up to a key packet that main has room for', () => {
  const { messages, packets, told, box, open } = offering()
  const stream = open('gate')
  for (const pts of [0, 1, 2]) stream.write({ data: half, pts, key: pts === 0 })
  expect(told).toEqual(['gate key'])
  box.acknowledged(2 * half.byteLength)
  stream.write({ data: half, pts: 3, key: false })
  stream.write({ data: half, pts: 4, key: true })
  stream.write({ data: half, pts: 5, key: false })
  expect(packets.map(([, pts]) => pts)).toEqual([0, 1, 4, 5])
  stream.close()
  expect(messages.at(-1)).toEqual({ type: 'stream/close', stream: 0, packets: 4 })
})
