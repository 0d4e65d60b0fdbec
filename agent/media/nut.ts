import { AgentError } from '../core/errors.ts'
import {
  NutFields,
  type NutFrameCode,
  type NutMain,
  type NutStream,
  nutFlag,
  nutMain,
  nutStream,
} from './nut-header.ts'

/** What one packet of a NUT stream carries. */
export interface NutPacket {
  readonly data: Buffer
  /** Seconds. */
  readonly time: number
  readonly key: boolean
}

/** Takes the bytes of a NUT stream with one track as they come. */
export interface NutDemuxer {
  write(bytes: Uint8Array): void
}

/** Where packets go, and where their memory comes from. */
export interface NutTaker {
  /** Memory of exactly `bytes` bytes. */
  allocate(bytes: number): Buffer
  take(packet: NutPacket): void
}

/** A generator that says how many bytes it needs next, and gets them. */
type Parser<Value> = Generator<number | Buffer, Value, Buffer>

const identity = 'nut/multimedia container\0'
const startCodes = {
  main: '4e4d7a561f5f04ad',
  stream: '4e5311405bf2f9db',
  sync: '4e4be4adeeca4569',
}
const letterN = 0x4e

/**
 * Splits a NUT stream into packets, each as soon as its last byte is there.
 * @throws AgentError INTERNAL, from `write`, for bytes that are no NUT stream
 */
export function nutDemuxer(taker: NutTaker): NutDemuxer {
  const parser = parse(taker)
  let need = bufferFor(parser.next())
  let filled = 0
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const count = Math.min(need.length - filled, bytes.length - at)
        need.set(bytes.subarray(at, at + count), filled)
        at += count
        filled += count
        while (filled === need.length) {
          filled = 0
          need = bufferFor(parser.next(need))
        }
      }
    },
  }
}

function bufferFor({ value }: IteratorResult<number | Buffer>): Buffer {
  return typeof value === 'number' ? Buffer.allocUnsafe(value) : value
}

interface State {
  main: NutMain | undefined
  stream: NutStream | undefined
  lastPts: number
}

function* parse(taker: NutTaker): Parser<never> {
  yield identity.length
  const state: State = { main: undefined, stream: undefined, lastPts: 0 }
  for (;;) {
    const first = yield* byte()
    if (first === letterN) yield* header(state)
    else yield* frame(state, first, taker)
  }
}

function* byte(): Parser<number> {
  const [value = 0] = yield 1
  return value
}

function* number(): Parser<number> {
  let value = 0
  for (;;) {
    const next = yield* byte()
    value = value * 128 + (next & 127)
    if (next < 128) return value
  }
}

function* header(state: State): Parser<void> {
  const code = `4e${(yield 7).toString('hex')}`
  const length = yield* number()
  if (length > 4096) yield 4
  const content = yield length
  if (code === startCodes.main) state.main = nutMain(content)
  if (code === startCodes.stream) state.stream = nutStream(content)
  if (code === startCodes.sync && state.main) {
    const count = state.main.timeBases.length
    state.lastPts = Math.floor(new NutFields(content).number() / count)
  }
}

function* frame(state: State, first: number, taker: NutTaker): Parser<void> {
  const { main, stream } = state
  const code = main?.frameCodes[first]
  if (!main || !stream || !code)
    throw new AgentError(
      'INTERNAL',
      `cannot read a NUT stream: no header explains the byte ${first}`,
    )
  const { flags, pts, size, headerIndex } = yield* frameFields(code, stream, state.lastPts)
  const start = (size > 4096 ? undefined : main.elided[headerIndex]) ?? new Uint8Array()
  if (flags & nutFlag.checksum) yield 4
  const data = taker.allocate(size)
  if (start.length < size) yield data.subarray(start.length)
  data.set(start)
  state.lastPts = pts
  const [numerator, denominator] = main.timeBases[stream.timeBase] ?? [1, 1]
  taker.take({ data, time: (pts * numerator) / denominator, key: (flags & nutFlag.key) !== 0 })
}

interface FrameFields {
  readonly flags: number
  readonly pts: number
  readonly size: number
  readonly headerIndex: number
}

function* frameFields(code: NutFrameCode, stream: NutStream, lastPts: number): Parser<FrameFields> {
  let { flags, size, headerIndex, reserved } = code
  if (flags & nutFlag.coded) flags ^= yield* number()
  if (flags & nutFlag.streamId) yield* number()
  let pts = lastPts + code.ptsDelta
  if (flags & nutFlag.codedPts) pts = fullPts(yield* number(), stream.msbPtsShift, lastPts)
  if (flags & nutFlag.sizeMsb) size += code.sizeMultiplier * (yield* number())
  if (flags & nutFlag.matchTime) yield* number()
  if (flags & nutFlag.headerIndex) headerIndex = yield* number()
  if (flags & nutFlag.reserved) reserved = yield* number()
  for (; reserved > 0; reserved--) yield* number()
  return { flags, pts, size, headerIndex }
}

/** A time of which only the low bits are there is the one nearest to the last time. */
function fullPts(coded: number, shift: number, last: number): number {
  const range = 2 ** shift
  if (coded >= range) return coded - range
  const base = last - Math.floor((range - 1) / 2)
  return ((((coded - base) % range) + range) % range) + base
}
