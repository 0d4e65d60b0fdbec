import { describe, expect, it } from 'vitest'
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyph } from '../../../agent/imaging/font.ts'

const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))

/** What a glyph looks like. */
const picture = (character: string) =>
  glyph(character).map((row) => row.toString(2).padStart(GLYPH_WIDTH, '0'))

describe('the font', () => {
  it('has a glyph of its own for each printable ASCII character', () => {
    expect(new Set(printable.map((character) => glyph(character).join())).size).toBe(95)
  })

  it('has only the space empty', () => {
    const empty = printable.filter((character) => glyph(character).every((row) => row === 0))
    expect(empty).toEqual([' '])
  })

  it('keeps to its cell', () => {
    for (const character of printable) {
      expect(glyph(character)).toHaveLength(GLYPH_HEIGHT)
      expect(Math.max(...glyph(character))).toBeLessThan(2 ** GLYPH_WIDTH)
    }
  })

  it('stands on the baseline; only tails and the like go below', () => {
    const below = printable.filter((character) => (glyph(character).at(-1) ?? 0) > 0)
    expect(below.join('')).toBe(',_gjpqy|')
  })

  it('has its letters in their places', () => {
    expect(picture('L')).toEqual([...Array.from({ length: 6 }, () => '10000'), '11111', '00000'])
    expect(picture('T')[0]).toBe('11111')
    expect(picture('-').filter((row) => row.includes('1'))).toEqual(['11110'])
  })

  it('shows a question mark for what it does not have', () => {
    for (const character of ['é', '\n', '\u007f', '€']) expect(glyph(character)).toBe(glyph('?'))
  })
})
