import { describe, expect, it } from 'vitest'
import { fuzzRtsp } from '../../soak/rtsp-fuzz.ts'

describe('damaged requests', () => {
  it('end their own connection at most, and reach every answer', async () => {
    const { requests, answers, failures } = await fuzzRtsp(800, 1)
    expect(requests).toBeGreaterThanOrEqual(800)
    expect(failures).toEqual([])
    const expected = [
      '200',
      '400',
      '404',
      '405',
      '413',
      '451',
      '454',
      '455',
      '461',
      '501',
      '505',
      '551',
    ]
    expect(Object.keys(answers)).toEqual(expect.arrayContaining(expected))
    expect(answers['500']).toBeUndefined()
  })
})
