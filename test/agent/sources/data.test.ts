import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createSource } from '../../../agent/sources/registry.ts'
import { conformsToSource } from '../../conformance/source.ts'
import { readAll, smallPicture, sourceContext } from './surroundings.ts'
import { media } from './web-server.ts'

const base64 = media('dog.jpg').toString('base64')

conformsToSource('a looped data: URI', async () => {
  const small = (await smallPicture()).toString('base64')
  return createSource({ url: `data:image/jpeg;base64,${small}`, loop: true }, sourceContext())
})

describe('a data: URI', () => {
  it.each([
    ['base64', `data:image/jpeg;base64,${base64}`],
    ['base64 with percent signs', `data:image/jpeg;base64,${encodeURIComponent(base64)}`],
    ['base64 and more parameters', `data:image/jpeg;name=a;base64,${base64}`],
  ])('is one picture: %s', async (_, url) => {
    const samples = await readAll(createSource({ url }, sourceContext()))
    expect(samples).toMatchObject([{ width: 1280, height: 960 }])
  })

  it('may be percent-encoded', async () => {
    const black = { width: 8, height: 4, channels: 3, background: '#000' } as const
    const png = await sharp({ create: black }).png().toBuffer()
    const escaped = Array.from(png, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    const samples = await readAll(
      createSource({ url: `data:image/png,${escaped}` }, sourceContext()),
    )
    expect(samples).toMatchObject([{ width: 8, height: 4 }])
  })

  it.each([
    ['data:text/plain,hello', 'SOURCE_UNSUPPORTED'],
    ['data:,hello', 'SOURCE_UNSUPPORTED'],
    ['data:image/jpeg;base64', 'SOURCE_UNSUPPORTED'],
    ['data:image/jpeg;base64,###', 'SOURCE_DECODE'],
  ])('is refused: %s', (url, code) => {
    expect(() => createSource({ url }, sourceContext())).toThrow(expect.objectContaining({ code }))
  })

  it('that holds no picture is a decode error which does not repeat it', async () => {
    const url = `data:image/jpeg;base64,${Buffer.from('secret text').toString('base64')}`
    const reading = readAll(createSource({ url }, sourceContext()))
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_DECODE' })
    await expect(reading).rejects.toThrow(/^(?!.*c2Vjc)/)
  })

  it('is bounded', () => {
    const url = `data:image/jpeg;base64,${base64}`
    expect(() => createSource({ url }, sourceContext({ maxDownloadBytes: 1000 }))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    )
  })
})
