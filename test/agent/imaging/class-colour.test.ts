import { describe, expect, it } from 'vitest'
import { classColour, inkOn } from '../../../agent/imaging/class-colour.ts'

const classes = Array.from({ length: 100 }, (_, id) => id)

describe('class colours', () => {
  it('are the same whenever asked for', () => {
    expect(classes.map(classColour)).toEqual(classes.map(classColour))
  })

  it('differ for each of a hundred classes', () => {
    expect(new Set(classes.map((id) => classColour(id).join())).size).toBe(100)
  })

  it('are far apart for classes with near ids', () => {
    const distance = (a: number, b: number) =>
      Math.hypot(...classColour(a).map((value, i) => value - (classColour(b)[i] ?? 0)))
    for (const id of classes) {
      for (const step of [1, 2, 3]) expect(distance(id, id + step)).toBeGreaterThan(40)
    }
  })

  it('are written in limited range and with ink that stands out', () => {
    for (const [y, u, v] of classes.map(classColour)) {
      expect(y).toBeGreaterThanOrEqual(16)
      expect(Math.max(y, u, v)).toBeLessThanOrEqual(240)
      expect(Math.abs(inkOn([y, u, v]) - y)).toBeGreaterThan(100)
    }
  })
})
