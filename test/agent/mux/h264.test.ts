import { describe, expect, it } from 'vitest'
import {
  codecString,
  nalType,
  nalUnits,
  parameterSets,
  profileLevelId,
} from '../../../agent/mux/h264.ts'

const sps = [0x67, 0x42, 0xc0, 0x1f, 0x8c]
const pps = [0x68, 0xce, 0x3c, 0x80]
const idr = [0x65, 0x88, 0x84, 0, 0, 3, 0, 7]
const slice = [0x41, 0x9a]

const bytes = (...parts: readonly (readonly number[])[]) => Uint8Array.from(parts.flat())
const units = (data: Uint8Array) => [...nalUnits(data)].map((nal) => [...nal])

describe('NAL units', () => {
  it('are found after start codes of three and four bytes', () => {
    const data = bytes([0, 0, 0, 1], sps, [0, 0, 1], pps, [0, 0, 1], idr)
    expect(units(data)).toEqual([sps, pps, idr])
  })

  it('have neither their own trailing zeros nor those of the next start code', () => {
    const data = bytes([0, 0, 1], sps, [0, 0, 0, 0, 0, 1], idr, [0, 0, 0])
    expect(units(data)).toEqual([sps, idr])
  })

  it('keep the zeros that an emulation prevention byte guards', () => {
    expect(units(bytes([0, 0, 1], [0x65, 0, 0, 3, 1, 9]))).toEqual([[0x65, 0, 0, 3, 1, 9]])
  })

  it('are views, not copies', () => {
    const data = bytes([0, 0, 0, 1], sps)
    expect([...nalUnits(data)][0]?.buffer).toBe(data.buffer)
  })

  it.each([
    ['nothing', []],
    ['no start code', [1, 2, 3, 4]],
    ['a start code alone', [0, 0, 1]],
    ['zeros', [0, 0, 0, 0, 0]],
  ])('are none in %s', (_, data) => {
    expect(units(bytes(data))).toEqual([])
  })

  it('are found wherever a start code falls', () => {
    for (let lead = 1; lead < 12; lead++) {
      const first = Array.from({ length: lead }, (_, at) => at + 2)
      expect(units(bytes([0, 0, 1], first, [0, 0, 1], slice))).toEqual([first, slice])
    }
  })

  it('know their type', () => {
    expect([sps, pps, idr, slice].map((nal) => nalType(bytes(nal)))).toEqual([7, 8, 5, 1])
    expect(nalType(bytes())).toBe(0)
  })
})

describe('parameter sets', () => {
  it('are those ahead of the picture', () => {
    const found = parameterSets(bytes([0, 0, 1], sps, [0, 0, 1], pps, [0, 0, 1], idr))
    expect(found && { sps: [...found.sps], pps: [...found.pps] }).toEqual({ sps, pps })
  })

  it('are not made of half of them', () => {
    expect(parameterSets(bytes([0, 0, 1], sps, [0, 0, 1], idr))).toBeUndefined()
    expect(parameterSets(bytes([0, 0, 1], pps, [0, 0, 1], slice))).toBeUndefined()
  })

  it('name profile and level', () => {
    expect(profileLevelId(bytes(sps))).toBe('42c01f')
    expect(codecString(bytes(sps))).toBe('avc1.42c01f')
  })
})
