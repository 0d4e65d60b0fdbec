import { describe, expect, it } from 'vitest'
import { holes, longestSilence, skips } from './continuity.ts'
import { jsonOf, parseMessages, type Seen } from './recording.ts'

const seen = (run: string, seq: number, pts?: number) => ({ run, seq, pts }) as unknown as Seen

describe('the reading of a recording', () => {
  it('keeps time, flags, bytes and topics with spaces', () => {
    const text = '1795411213.169291253 0 0 68ff a/$b c\n1795411213.173530297 1 1  e/mpty\n'
    expect(parseMessages(text)).toEqual([
      {
        at: 1795411213169.2913,
        retained: false,
        qos: 0,
        topic: 'a/$b c',
        payload: Buffer.of(0x68, 0xff),
      },
      { at: 1795411213173.5303, retained: true, qos: 1, topic: 'e/mpty', payload: Buffer.of() },
    ])
  })

  it('leaves out a last line that was being written', () => {
    expect(
      parseMessages('1795411213.1 0 0 31 a\n1795411213.2 0 0 3').map(({ topic }) => topic),
    ).toEqual(['a'])
    expect(parseMessages('')).toEqual([])
  })

  it('does not skip a damaged line in silence', () => {
    expect(() => parseMessages('1795411213.1 0 0 3g a\n')).toThrow('no recorded message')
  })

  it('takes a payload that is no JSON as none', () => {
    expect(
      jsonOf({ at: 0, retained: false, qos: 0, topic: 'a', payload: Buffer.of(0xff) }),
    ).toBeUndefined()
  })
})

describe('continuity', () => {
  it('is a seq that counts by one within one run', () => {
    expect(holes([seen('a', 4), seen('a', 5), seen('a', 6)], 3)).toEqual([])
  })

  it.each([
    ['a hole', [seen('a', 4), seen('a', 6)], 'seq 4 was followed by 6'],
    ['a repetition', [seen('a', 4), seen('a', 4)], 'seq 4 was followed by 4'],
    ['a new run', [seen('a', 4), seen('b', 0)], 'run a became b after 4'],
    ['too little', [seen('a', 4)], '1 results, expected 2'],
    ['nothing', [], '0 results, expected 2'],
  ])('is broken by %s', (_, detections, fault) => {
    expect(holes(detections, 2)).toEqual([fault])
  })

  it('lets a loop begin again, and sees a jump within it', () => {
    expect(
      skips([seen('a', 0, 11.8), seen('a', 1, 12.0), seen('a', 2, 0), seen('a', 3, 0.2)], 0.2),
    ).toEqual([])
    expect(skips([seen('a', 0, 1.0), seen('a', 1, 1.4)], 0.2)).toEqual([
      '1.00 s was followed by 1.40 s',
    ])
  })

  it('finds the longest silence, and takes nothing at all as endless', () => {
    expect(longestSilence([100, 300, 350])).toBe(200)
    expect(longestSilence([100])).toBe(Number.POSITIVE_INFINITY)
  })
})
