import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../core/video.ts'
import { box, fullBox, text, u16, u32, u64 } from './boxes.ts'
import { codecString, nalType, nalUnits, type ParameterSets, parameterSets } from './h264.ts'

/** One picture of a fragment. */
export interface Sample {
  /** Annex B. */
  readonly data: Uint8Array
  readonly key: boolean
  /** In 1/90000 s. */
  readonly duration: number
}

/** Samples that follow each other. */
export interface Fragment {
  /** Counts the fragments of a file, from 1. */
  readonly sequence: number
  /** When the first sample is shown, in 1/90000 s from the beginning of the file. */
  readonly time: number
  readonly samples: readonly Sample[]
}

/** What comes ahead of the fragments. */
export interface Init {
  readonly bytes: Uint8Array
  /** As RFC 6381 has it: `avc1.PPCCLL`. */
  readonly codec: string
}

const TRACK = 1
const PAGE_BYTES = 4096
const longestDuration = 2 ** 32 - 1
/** Parameter sets lie in the init segment; delimiters and filler say nothing there (ISO/IEC 14496-15, section 5.3.2). */
const leftOut = new Set([7, 8, 9, 10, 11, 12])
/** `sample_depends_on` and `sample_is_non_sync_sample` (ISO/IEC 14496-12, section 8.8.3.1). */
const sampleFlags = { key: 0x0200_0000, other: 0x0101_0000 }

/** Follows a stream: gives an init segment when a key packet begins with other parameter sets than before. */
export function initFollower(format: VideoFormat): (packet: VideoPacket) => Init | undefined {
  let known: ParameterSets | undefined
  return ({ data, key }) => {
    const sets = key ? parameterSets(data) : undefined
    if (!sets || (known && areSame(sets, known))) return undefined
    known = { sps: sets.sps.slice(), pps: sets.pps.slice() }
    return { bytes: initSegment(format, known), codec: codecString(known.sps) }
  }
}

/** Samples of packets that follow each other; the last one is shown until `end`. */
export function samplesUntil(packets: readonly VideoPacket[], end: number): Sample[] {
  return packets.map(({ data, key, pts }, index) => {
    const duration = (packets[index + 1]?.pts ?? end) - pts
    return { data, key, duration: Math.min(Math.max(duration, 1), longestDuration) }
  })
}

/** `ftyp` and `moov`: one track of H.264, no samples (ISO/IEC 14496-12, sections 4.3, 8.2 and 8.8). */
export function initSegment(format: VideoFormat, sets: ParameterSets): Uint8Array {
  const fileType = box('ftyp', text('iso6'), u32(0), text('iso6iso5avc1mp41'))
  const movie = box(
    'moov',
    fullBox('mvhd', 0, 0, times, u32(0x10000), u16(0x100), zeros(10), matrix, zeros(24), u32(2)),
    track(format, sets),
    box('mvex', fullBox('trex', 0, 0, u32(TRACK), u32(1), zeros(12))),
  )
  return joined(fileType, movie)
}

/** `moof` and `mdat` (ISO/IEC 14496-12, section 8.8): offsets count from the `moof`, durations and flags are per sample. */
export function fragment({ sequence, time, samples }: Fragment): Uint8Array {
  const pictures = samples.map(({ data }) => unitsOf(data))
  const sizes = pictures.map((units) => units.reduce((sum, unit) => sum + 4 + unit.length, 0))
  const head = movieFragment({ sequence, time, samples }, sizes)
  const total = sizes.reduce((sum, size) => sum + size, head.length + 8)
  const bytes = new Uint8Array(total)
  bytes.set(head)
  bytes.set([...u32(total - head.length), ...text('mdat')], head.length)
  let at = head.length + 8
  for (const unit of pictures.flat()) {
    bytes.set(u32(unit.length), at)
    bytes.set(unit, at + 4)
    at += 4 + unit.length
  }
  return bytes
}

/**
 * What goes ahead of a fragment at `offset` of a file, so that its `moof` lies in one page: nothing, or a box
 * without meaning. What a power cut leaves of a file ends with a page or a write, and readers refuse
 * a whole file for half a `moof`.
 */
export function gapAhead(offset: number, fragmentBytes: Uint8Array): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0] = fragmentBytes
  const headBytes = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d
  const room = PAGE_BYTES - (offset % PAGE_BYTES)
  if (headBytes <= room || headBytes > PAGE_BYTES - 8) return zeros(0)
  return box('free', zeros(room >= 8 ? room - 8 : room))
}

function movieFragment(
  { sequence, time, samples }: Fragment,
  sizes: readonly number[],
): Uint8Array {
  const entries = samples.flatMap(({ duration, key }, index) => [
    ...u32(duration),
    ...u32(sizes[index] ?? 0),
    ...u32(key ? sampleFlags.key : sampleFlags.other),
  ])
  // The boxes below have fixed sizes, except for the entries; then comes the header of the mdat.
  const dataOffset = 8 + 16 + 8 + 16 + 20 + 20 + entries.length + 8
  return box(
    'moof',
    fullBox('mfhd', 0, 0, u32(sequence)),
    box(
      'traf',
      fullBox('tfhd', 0, 0x02_0000, u32(TRACK)),
      fullBox('tfdt', 1, 0, u64(time)),
      fullBox('trun', 0, 0x701, u32(samples.length), u32(dataOffset), entries),
    ),
  )
}

/** No creation times, 1/90000 s, no duration: that of the fragments counts. */
const times = [...u32(0), ...u32(0), ...u32(VIDEO_CLOCK), ...u32(0)]
const matrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000].flatMap(u32)
const undetermined = 0x55c4
const zeros = (count: number): Uint8Array => new Uint8Array(count)

function track({ width, height }: VideoFormat, sets: ParameterSets): Uint8Array {
  const size = [...u16(width), ...u16(0), ...u16(height), ...u16(0)]
  return box(
    'trak',
    fullBox('tkhd', 0, 3, zeros(8), u32(TRACK), zeros(8), zeros(16), matrix, size),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, times, u16(undetermined), u16(0)),
      fullBox('hdlr', 0, 0, u32(0), text('vide'), zeros(12), text('Video\0')),
      box(
        'minf',
        fullBox('vmhd', 0, 1, zeros(8)),
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
        sampleTable(width, height, sets),
      ),
    ),
  )
}

function sampleTable(width: number, height: number, sets: ParameterSets): Uint8Array {
  const dots72PerInch = u32(0x48_0000)
  const entry = box(
    'avc1',
    [...zeros(6), ...u16(1), ...zeros(16), ...u16(width), ...u16(height)],
    [...dots72PerInch, ...dots72PerInch, ...u32(0), ...u16(1), ...zeros(32), ...u16(24)],
    [0xff, 0xff],
    avcConfiguration(sets),
  )
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), entry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0), u32(0)),
    fullBox('stco', 0, 0, u32(0)),
  )
}

/** `avcC`, lengths of four bytes (ISO/IEC 14496-15, section 5.3.3.1); ours is always 4:2:0 with 8 bits. */
function avcConfiguration({ sps, pps }: ParameterSets): Uint8Array {
  const [, profile = 0, constraints = 0, level = 0] = sps
  const isHigh = ![66, 77, 88].includes(profile)
  return box(
    'avcC',
    [1, profile, constraints, level, 0xfc | 3, 0xe0 | 1],
    u16(sps.length),
    sps,
    [1, ...u16(pps.length)],
    pps,
    isHigh ? [0xfc | 1, 0xf8, 0xf8, 0] : [],
  )
}

function unitsOf(data: Uint8Array): Uint8Array[] {
  return [...nalUnits(data)].filter((unit) => !leftOut.has(nalType(unit)))
}

function areSame(one: ParameterSets, other: ParameterSets): boolean {
  return areEqual(one.sps, other.sps) && areEqual(one.pps, other.pps)
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
