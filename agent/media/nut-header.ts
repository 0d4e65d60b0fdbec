/**
 * Headers of NUT, FFmpeg's own container (https://ffmpeg.org/~michael/nut.txt), which keeps the exact
 * times and sizes of whatever it carries, raw pictures too.
 */

/** Bits of a frame's flags. */
export const nutFlag = {
  key: 1,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  headerIndex: 1024,
  matchTime: 512,
  coded: 4096,
  invalid: 8192,
} as const

/** What one of the 256 first bytes of a frame stands for. */
export interface NutFrameCode {
  readonly flags: number
  readonly ptsDelta: number
  readonly sizeMultiplier: number
  readonly size: number
  readonly reserved: number
  readonly headerIndex: number
}

/** What the main header says. */
export interface NutMain {
  /** Seconds per tick, as fractions. */
  readonly timeBases: readonly (readonly [number, number])[]
  readonly frameCodes: readonly NutFrameCode[]
  /** Starts of packets that are left out. */
  readonly elided: readonly Uint8Array[]
}

/** What a stream's header says. */
export interface NutStream {
  readonly timeBase: number
  readonly msbPtsShift: number
}

/** Reads NUT's numbers from bytes that are all there. */
export class NutFields {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Type `v`: seven bits a byte, most significant first. */
  number(): number {
    let value = 0
    for (;;) {
      const byte = this.#bytes[this.#at++] ?? 0
      value = value * 128 + (byte & 127)
      if (byte < 128) return value
    }
  }

  /** Type `s`. */
  signed(): number {
    const value = this.number() + 1
    return value % 2 === 1 ? -(value - 1) / 2 : value / 2
  }

  /** Type `vb`. */
  bytes(): Uint8Array {
    const length = this.number()
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

/** Reads the content of a main header. */
export function nutMain(content: Uint8Array): NutMain {
  const fields = new NutFields(content)
  const version = fields.number()
  if (version > 3) fields.number()
  fields.number()
  fields.number()
  const timeBases = Array.from({ length: fields.number() }, () => {
    const numerator = fields.number()
    return [numerator, fields.number()] as const
  })
  const frameCodes = readFrameCodes(fields)
  const elided = Array.from({ length: fields.number() }, () => fields.bytes())
  return { timeBases, frameCodes, elided: [new Uint8Array(), ...elided] }
}

const unused: NutFrameCode = {
  flags: nutFlag.invalid,
  ptsDelta: 0,
  sizeMultiplier: 1,
  size: 0,
  reserved: 0,
  headerIndex: 0,
}
/** `N` begins every start code, so that no frame may. */
const letterN = 0x4e

function readFrameCodes(fields: NutFields): NutFrameCode[] {
  const codes: NutFrameCode[] = []
  let last = unused
  while (codes.length < 256) {
    const { code, count } = readCodes(fields, last)
    for (let index = 0; index < count && codes.length < 256; index++) {
      if (codes.length === letterN) codes.push(unused)
      codes.push({ ...code, size: code.size + index })
    }
    // Anything else would never end.
    if (count <= 0) codes.push(unused)
    last = code
  }
  return codes
}

/** A run of codes that differ in their size. Fields that are left out are those of the `last` run, or 0. */
function readCodes(
  fields: NutFields,
  last: NutFrameCode,
): { readonly code: NutFrameCode; readonly count: number } {
  const flags = fields.number()
  const given = fields.number()
  const number = (index: number, otherwise: number) => (given > index ? fields.number() : otherwise)
  const signed = (index: number, otherwise: number) => (given > index ? fields.signed() : otherwise)
  const ptsDelta = signed(0, last.ptsDelta)
  const sizeMultiplier = number(1, last.sizeMultiplier)
  number(2, 0)
  const size = number(3, 0)
  const reserved = number(4, 0)
  const count = number(5, sizeMultiplier - size)
  signed(6, 0)
  const headerIndex = number(7, last.headerIndex)
  for (let extra = 8; extra < given; extra++) fields.number()
  return { code: { flags, ptsDelta, sizeMultiplier, size, reserved, headerIndex }, count }
}

/** Reads the content of a stream's header. */
export function nutStream(content: Uint8Array): NutStream {
  const fields = new NutFields(content)
  fields.number()
  fields.number()
  fields.bytes()
  return { timeBase: fields.number(), msbPtsShift: fields.number() }
}
