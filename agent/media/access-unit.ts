import { nalType, nalTypes, nalUnits, type ParameterSets, parameterSets } from '../mux/h264.ts'

/** Makes what an encoder gives into what a `VideoPacket` promises. */
export type AccessUnits = (data: Uint8Array, key: boolean) => Uint8Array

const startCode = [0, 0, 0, 1]

/**
 * Access units without delimiters, whose key ones carry parameter sets: not every hardware encoder
 * repeats those after its first picture. What is right already is passed on as it is.
 */
export function accessUnits(): AccessUnits {
  let known: ParameterSets | undefined
  return (data, key) => {
    const plain = startsWithDelimiter(data) ? joined(withoutDelimiters(data)) : data
    if (!key) return plain === data ? data.slice() : plain
    const own = parameterSets(plain)
    if (own) known = { sps: own.sps.slice(), pps: own.pps.slice() }
    if (own || !known) return plain === data ? data.slice() : plain
    return joined([known.sps, known.pps, ...nalUnits(plain)])
  }
}

function startsWithDelimiter(data: Uint8Array): boolean {
  const [first] = nalUnits(data.subarray(0, 16))
  return first !== undefined && nalType(first) === nalTypes.delimiter
}

function withoutDelimiters(data: Uint8Array): Uint8Array[] {
  return [...nalUnits(data)].filter((nal) => nalType(nal) !== nalTypes.delimiter)
}

function joined(nals: readonly Uint8Array[]): Uint8Array {
  const length = nals.reduce((sum, nal) => sum + startCode.length + nal.length, 0)
  const data = new Uint8Array(length)
  let at = 0
  for (const nal of nals) {
    data.set(startCode, at)
    data.set(nal, at + startCode.length)
    at += startCode.length + nal.length
  }
  return data
}
