import { describe, expect, it } from 'vitest'
import { chosenCodecs, provenCodecs } from '../../../agent/media/codecs.ts'
import { likelyAccelerations } from '../../../agent/media/hardware.ts'

describe('codecs', () => {
  it('are those that pass their trial, hardware before software', async () => {
    const broken = ['qsv', 'h264_nvenc']
    const trial = async (name: string) => !broken.includes(name)
    const found = await provenCodecs({ encoder: trial, decoder: trial }, ['libx264'], async () => [
      'cuda',
      'qsv',
      'vaapi',
    ])
    expect(found).toEqual({
      decoders: ['cuda', 'vaapi', 'software'],
      encoders: ['h264_qsv', 'h264_vaapi', 'libx264'],
    })
  })

  it('are tried one at a time', async () => {
    let under = 0
    const trial = async () => {
      under += 1
      await new Promise((resolve) => setImmediate(resolve))
      const alone = under === 1
      under -= 1
      return alone
    }
    const found = await provenCodecs({ encoder: trial, decoder: trial }, [], async () => [
      'vaapi',
      'qsv',
    ])
    expect(found.encoders).toHaveLength(2)
    expect(found.decoders).toHaveLength(3)
  })

  it('are chosen by name, or all in turn', () => {
    expect(chosenCodecs('encoder', 'auto', ['b', 'a'])).toEqual(['b', 'a'])
    expect(chosenCodecs('encoder', 'a', ['b', 'a'])).toEqual(['a'])
  })

  it.each([
    ['c', ['b', 'a'], /'c'.*auto b a/],
    ['auto', [], /'auto'.*none/],
  ])('that do not work are refused: %s of %j', (asked, working, message) => {
    expect(() => chosenCodecs('decoder', asked, working)).toThrow(
      expect.objectContaining({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringMatching(message),
      }),
    )
  })
})

describe('hardware that may be there', () => {
  it.each([
    [[], []],
    [['null', 'tty0', 'card0', 'video', 'nvidiactl'], []],
    [['renderD128'], ['qsv', 'vaapi']],
    [['nvidia0'], ['cuda']],
    [['dxg'], ['cuda']],
    [
      ['video10', 'nvidia1', 'renderD129'],
      ['cuda', 'qsv', 'vaapi', 'v4l2m2m'],
    ],
  ])('with the devices %j: %j', async (devices, likely) => {
    expect(await likelyAccelerations(async () => devices, 'linux')).toEqual(likely)
  })

  it('is anything where there are no device files', async () => {
    expect(await likelyAccelerations(async () => [], 'win32')).toHaveLength(4)
  })
})
