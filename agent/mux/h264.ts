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
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  let code = nextStartCode(bytes, 0)
  while (code < data.length) {
    const begin = code + startCode.length
    code = nextStartCode(bytes, begin)
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

const startCode = Buffer.from([0, 0, 1])

/** Where the next start code begins at or after `from`; the length of `data` where none does. */
function nextStartCode(data: Buffer, from: number): number {
  const at = data.indexOf(startCode, from)
  return at < 0 ? data.length : at
}
