/** Types of NAL units that this code meets (ITU-T H.264, table 7-1). */
export const nalTypes = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const

/** What a decoder must know before the first picture; without start codes. */
export interface ParameterSets {
  readonly sps: Uint8Array
  readonly pps: Uint8Array
}

/**
 * The NAL units of an Annex B byte stream, without start codes and trailing zero bytes. They are views
 * into `data`. Bytes ahead of the first start code are skipped.
 */
export function* nalUnits(data: Uint8Array): Iterable<Uint8Array> {
  let code = nextStartCode(data, 0)
  while (code < data.length) {
    const begin = code + 3
    code = nextStartCode(data, begin)
    let end = code
    while (end > begin && data[end - 1] === 0) end--
    if (end > begin) yield data.subarray(begin, end)
  }
}

/** `nal_unit_type` of a NAL unit without start code; 0 for an empty one. */
export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f
}

/** The last parameter sets of an access unit, as views into it; undefined unless it has both. */
export function parameterSets(data: Uint8Array): ParameterSets | undefined {
  let sps: Uint8Array | undefined
  let pps: Uint8Array | undefined
  for (const nal of nalUnits(data)) {
    const type = nalType(nal)
    if (type === nalTypes.sps && nal.length >= 4) sps = nal
    if (type === nalTypes.pps) pps = nal
    if (type === nalTypes.slice || type === nalTypes.idr) break
  }
  return sps && pps && { sps, pps }
}

/** `profile_idc`, constraint flags and `level_idc` of an SPS, as six hexadecimal digits (RFC 6184, section 8.1). */
export function profileLevelId(sps: Uint8Array): string {
  return Array.from(sps.subarray(1, 4), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** What browsers call the stream: `avc1.PPCCLL` (RFC 6381, section 3.3). */
export function codecString(sps: Uint8Array): string {
  return `avc1.${profileLevelId(sps)}`
}

/** Where the next 00 00 01 begins at or after `from`; the length of `data` where none does. */
function nextStartCode(data: Uint8Array, from: number): number {
  let at = from
  while (at + 2 < data.length) {
    const third = data[at + 2] ?? 0
    if (third > 1) at += 3
    else if (third === 1 && data[at] === 0 && data[at + 1] === 0) return at
    else at += 1
  }
  return data.length
}
