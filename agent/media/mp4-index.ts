import { AgentError } from '../core/errors.ts'
import type { StreamInput } from './engine.ts'

/** A box of ISO 14496-12: its type, where it begins and how long it is. */
interface Box {
  readonly type: string
  readonly start: number
  readonly length: number
}

const maxIndexBytes = 256 * 1024 * 1024
const containers = ['moov', 'trak', 'mdia', 'minf', 'stbl']

/**
 * The same video such that it can be read straight through: the index of an MP4 that comes last is
 * moved to the front. Anything else stays as it is. Nothing is copied but the index.
 * @throws AgentError SOURCE_UNSUPPORTED for an index that cannot be moved
 */
export async function indexFirst(input: StreamInput): Promise<StreamInput> {
  if (!input.seekable || input.size === undefined) return input
  const boxes = await topBoxes(input, input.size)
  const index = boxes.find(({ type }) => type === 'moov')
  const media = boxes.find(({ type }) => type === 'mdat')
  if (!index || !media || index.start < media.start) return input
  if (index.length > maxIndexBytes) {
    throw new AgentError(
      'SOURCE_UNSUPPORTED',
      `the index of ${input.name} has ${index.length} bytes; allowed are ${maxIndexBytes}`,
    )
  }
  const moved = await bytesAt(input, index.start, index.length)
  moveChunks(moved, index, media.start, input.name)
  return rearranged(input, input.size, moved, media.start, index.start)
}

/** Reads box headers only. Anything that is not MP4 ends the list. */
async function topBoxes(input: StreamInput, size: number): Promise<Box[]> {
  const boxes: Box[] = []
  for (let start = 0; start + 8 <= size; ) {
    const header = await bytesAt(input, start, Math.min(16, size - start))
    const box = boxAt(header, 0, size - start)
    if (!box || (boxes.length === 0 && box.type !== 'ftyp')) return boxes
    boxes.push({ ...box, start })
    if (box.type === 'moov') return boxes
    start += box.length
  }
  return boxes
}

/** The box that begins at `at`; `left` bytes remain from there. */
function boxAt(bytes: Buffer, at: number, left: number): Box | undefined {
  if (at + 8 > bytes.length) return undefined
  const short = bytes.readUInt32BE(at)
  const long = short === 1 && at + 16 <= bytes.length
  const length = long ? Number(bytes.readBigUInt64BE(at + 8)) : short || left
  if (length < 8 || length > left) return undefined
  return { type: bytes.toString('latin1', at + 4, at + 8), start: at, length }
}

/** Adds the length of `index` to each place in it that lies between `from` and its own. */
function moveChunks(bytes: Buffer, index: Box, from: number, name: string): void {
  const shifted = (offset: number) =>
    offset >= from && offset < index.start ? offset + index.length : offset
  for (const { type, start, length } of tables(bytes, 0, bytes.length)) {
    const count = bytes.readUInt32BE(start + 12)
    const width = type === 'stco' ? 4 : 8
    for (let entry = 0; entry < count && 16 + (entry + 1) * width <= length; entry++) {
      const at = start + 16 + entry * width
      if (width === 8) {
        bytes.writeBigUInt64BE(BigInt(shifted(Number(bytes.readBigUInt64BE(at)))), at)
        continue
      }
      const offset = shifted(bytes.readUInt32BE(at))
      if (offset > 0xffff_ffff) throw tooLong(name)
      bytes.writeUInt32BE(offset, at)
    }
  }
}

function tooLong(name: string): AgentError {
  return new AgentError(
    'SOURCE_UNSUPPORTED',
    `${name} is an MP4 of 4 GiB whose index comes last: write it anew with its index first (ffmpeg -i … -c copy -movflags +faststart …)`,
  )
}

/** The boxes that say where chunks lie. */
function* tables(bytes: Buffer, start: number, end: number): Generator<Box> {
  for (let at = start; at + 8 <= end; ) {
    const box = boxAt(bytes, at, end - at)
    if (!box) return
    if (containers.includes(box.type)) yield* tables(bytes, at + 8, at + box.length)
    if ((box.type === 'stco' || box.type === 'co64') && box.length >= 16) yield box
    at += box.length
  }
}

/** What lies before `media`, then `index`, then the rest without the old index at `indexStart`. */
function rearranged(
  input: StreamInput,
  size: number,
  index: Buffer,
  media: number,
  indexStart: number,
): StreamInput {
  return {
    ...input,
    size,
    async read(position, length) {
      if (position < media) return await input.read(position, Math.min(length, media - position))
      const inIndex = position - media
      if (inIndex < index.length) return index.subarray(inIndex, inIndex + length)
      const old = position - index.length
      if (old >= indexStart) return await input.read(position, length)
      return await input.read(old, Math.min(length, indexStart - old))
    },
    close: () => input.close(),
  }
}

async function bytesAt(input: StreamInput, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  for (let filled = 0; filled < length; ) {
    const part = await input.read(start + filled, length - filled)
    if (part.length === 0) return bytes.subarray(0, filled)
    bytes.set(part, filled)
    filled += part.length
  }
  return bytes
}
