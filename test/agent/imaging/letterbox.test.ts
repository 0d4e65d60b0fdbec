import { describe, expect, it } from 'vitest'
import { letterbox, stretch, toFrame } from '../../../agent/imaging/letterbox.ts'
import type { Box } from '../../../schemas/results.ts'

describe('letterbox', () => {
  it('fills the input in one direction and keeps the aspect ratio', () => {
    expect(letterbox(1280, 720, 416, 416)).toMatchObject({ contentWidth: 416, contentHeight: 234 })
    expect(letterbox(720, 1280, 416, 416)).toMatchObject({ contentWidth: 234, contentHeight: 416 })
    expect(letterbox(100, 50, 416, 416)).toMatchObject({ contentWidth: 416, contentHeight: 208 })
  })

  it('leaves at least one pixel of an extreme picture', () => {
    expect(letterbox(4000, 1, 416, 416)).toMatchObject({ contentWidth: 416, contentHeight: 1 })
  })

  it.each([
    [1280, 720],
    [720, 1280],
    [333, 1001],
    [416, 416],
  ])('maps the corners of the content to the corners of a %i×%i frame', (width, height) => {
    const placement = letterbox(width, height, 416, 416)
    const content: Box = [0, 0, placement.contentWidth, placement.contentHeight]
    const [x, y, mappedWidth, mappedHeight] = toFrame(content, placement)
    expect([x, y]).toEqual([0, 0])
    expect(mappedWidth).toBeCloseTo(width, 9)
    expect(mappedHeight).toBeCloseTo(height, 9)
  })
})

describe('stretch', () => {
  it('scales each axis by itself', () => {
    const placement = stretch(1280, 720, 300, 300)
    expect(toFrame([150, 150, 30, 30], placement)).toEqual([640, 360, 128, 72])
  })
})
