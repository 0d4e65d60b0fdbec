/** A box of an MP4 file, read without the code under test. */
interface BoxRead {
  readonly type: string
  readonly content: Buffer
}

/** The boxes that follow each other in `bytes`. Throws where sizes do not add up. */
export function boxesIn(bytes: Uint8Array): BoxRead[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const boxes: BoxRead[] = []
  for (let at = 0; at < buffer.length; ) {
    const size = buffer.readUInt32BE(at)
    if (size < 8 || at + size > buffer.length) throw new Error(`box of ${size} bytes at ${at}`)
    boxes.push({
      type: buffer.toString('latin1', at + 4, at + 8),
      content: buffer.subarray(at + 8, at + size),
    })
    at += size
  }
  return boxes
}

/** The content of the box at `path`, below boxes that hold nothing but boxes. */
export function boxAt(bytes: Uint8Array, path: string): Buffer {
  const [first = '', ...rest] = path.split('/')
  const found = boxesIn(bytes).find(({ type }) => type === first)
  if (!found) throw new Error(`no ${first} among ${boxesIn(bytes).map(({ type }) => type)}`)
  return rest.length === 0 ? found.content : boxAt(found.content, rest.join('/'))
}

/** Of a fragment: when it begins, and its samples' durations and flags. */
export function fragmentAt(bytes: Uint8Array): {
  time: number
  samples: { duration: number; size: number; key: boolean }[]
} {
  const time = Number(boxAt(bytes, 'moof/traf/tfdt').readBigUInt64BE(4))
  const run = boxAt(bytes, 'moof/traf/trun')
  const samples = Array.from({ length: run.readUInt32BE(4) }, (_, index) => {
    const at = 12 + 12 * index
    return {
      duration: run.readUInt32BE(at),
      size: run.readUInt32BE(at + 4),
      key: (run.readUInt32BE(at + 8) & 0x1_0000) === 0,
    }
  })
  return { time, samples }
}

/** NAL unit types of the samples in a fragment's mdat. */
export function unitTypesIn(bytes: Uint8Array): number[] {
  const data = boxAt(bytes, 'mdat')
  const types: number[] = []
  for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) {
    types.push((data[at + 4] ?? 0) & 0x1f)
  }
  return types
}
