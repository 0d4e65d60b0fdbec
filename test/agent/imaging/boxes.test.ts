import { describe, expect, it } from 'vitest'
import { area, clip, intersects, iou, sharedArea } from '../../../agent/imaging/boxes.ts'
import type { Box } from '../../../schemas/results.ts'

describe('boxes', () => {
  it('share what both cover', () => {
    expect(sharedArea([0, 0, 10, 10], [5, 5, 10, 10])).toBe(25)
    expect(sharedArea([0, 0, 10, 10], [2, 3, 4, 5])).toBe(20)
  })

  it('have an IoU of shared area by covered area, whichever comes first', () => {
    const left: Box = [0, 0, 10, 10]
    const shifted: Box = [5, 0, 10, 10]
    expect(iou(left, shifted)).toBeCloseTo(50 / 150, 12)
    expect(iou(shifted, left)).toBe(iou(left, shifted))
    expect(iou(left, left)).toBe(1)
  })

  it('do not meet where they only touch', () => {
    expect(intersects([0, 0, 10, 10], [10, 0, 10, 10])).toBe(false)
    expect(intersects([0, 0, 10, 10], [9.9, 9.9, 10, 10])).toBe(true)
    expect(iou([0, 0, 10, 10], [10, 10, 5, 5])).toBe(0)
  })

  it('have no area, and no IoU, when a side is zero or negative', () => {
    expect(area([3, 3, 0, 5])).toBe(0)
    expect(area([3, 3, -4, -5])).toBe(0)
    expect(iou([3, 3, 0, 5], [3, 3, 0, 5])).toBe(0)
  })

  it('keep their part inside the picture when clipped', () => {
    expect(clip([-5, -5, 20, 10], 100, 50)).toEqual([0, 0, 15, 5])
    expect(clip([90, 40, 20, 20], 100, 50)).toEqual([90, 40, 10, 10])
    expect(clip([10, 10, 5, 5], 100, 50)).toEqual([10, 10, 5, 5])
  })

  it('have no area left when they lie outside the picture', () => {
    expect(area(clip([-30, 5, 20, 10], 100, 50))).toBe(0)
    expect(area(clip([200, 5, 20, 10], 100, 50))).toBe(0)
  })
})
