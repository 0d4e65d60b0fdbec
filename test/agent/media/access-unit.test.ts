import { describe, expect, it } from 'vitest'
import { accessUnits } from '../../../agent/media/access-unit.ts'

const sps = [0x67, 0x42, 0xc0, 0x1f, 0x8c]
const pps = [0x68, 0xce, 0x3c, 0x80]
const delimiter = [0x09, 0x10]
const idr = [0x65, 0x88, 0x84]
const slice = [0x41, 0x9a, 0x02]

describe('access units', () => {
  it('that are right stay as they are, in memory of their own', () => {
    const unit = accessUnits()
    const key = annexB(sps, pps, idr)
    const copy = unit(key, true)
    expect(copy).toEqual(key)
    expect(copy.buffer).not.toBe(key.buffer)
    expect(unit(annexB(slice), false)).toEqual(annexB(slice))
  })

  it('lose their delimiters', () => {
    const unit = accessUnits()
    expect(unit(annexB(delimiter, sps, pps, idr), true)).toEqual(annexB(sps, pps, idr))
    expect(unit(annexB(delimiter, slice), false)).toEqual(annexB(slice))
  })

  it('get the last parameter sets where a key one has none', () => {
    const unit = accessUnits()
    const newer = [...sps.slice(0, 4), 0x99]
    unit(annexB(sps, pps, idr), true)
    unit(annexB(newer, pps, idr), true)
    expect(unit(annexB(slice), false)).toEqual(annexB(slice))
    expect(unit(annexB(delimiter, idr), true)).toEqual(annexB(newer, pps, idr))
  })

  it('keep what is remembered when the encoder writes over its memory', () => {
    const unit = accessUnits()
    const first = annexB(sps, pps, idr)
    unit(first, true)
    first.fill(0)
    expect(unit(annexB(idr), true)).toEqual(annexB(sps, pps, idr))
  })
})

function annexB(...nals: readonly number[][]): Uint8Array {
  return Uint8Array.from(nals.flatMap((nal) => [0, 0, 0, 1, ...nal]))
}
