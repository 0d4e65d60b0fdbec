import { describe, expect, it } from 'vitest'
import { type Candidate, nms } from '../../../agent/imaging/nms.ts'

const at = (x: number, score: number, classId = 0): Candidate => ({
  classId,
  score,
  box: [x, 0, 10, 10],
})

describe('non-maximum suppression', () => {
  it('keeps the best of a heap and whatever lies apart, best first', () => {
    const [weak, best, apart] = [at(1, 0.6), at(0, 0.9), at(50, 0.7)]
    expect(nms([weak, best, apart], 0.5, 10)).toEqual([best, apart])
  })

  it('suppresses only what overlaps by more than the threshold', () => {
    const shiftedByHalf = at(5, 0.8)
    const iou = 5 / 15
    expect(nms([at(0, 0.9), shiftedByHalf], iou - 0.01, 10)).toHaveLength(1)
    expect(nms([at(0, 0.9), shiftedByHalf], iou + 0.01, 10)).toHaveLength(2)
  })

  it('lets classes overlap each other', () => {
    expect(nms([at(0, 0.9, 1), at(0, 0.8, 2)], 0.5, 10)).toHaveLength(2)
  })

  it('lets a suppressed candidate suppress nobody', () => {
    const chain = [at(0, 0.9), at(4, 0.8), at(8, 0.7)]
    expect(nms(chain, 0.4, 10).map(({ box }) => box[0])).toEqual([0, 8])
  })

  it('gives at most the items asked for, the best of them', () => {
    const apart = [0.1, 0.5, 0.3, 0.4].map((score, index) => at(index * 100, score))
    expect(nms(apart, 0.5, 2).map(({ score }) => score)).toEqual([0.5, 0.4])
    expect(nms(apart, 0.5, 0)).toEqual([])
  })

  it('prefers the earlier of equals', () => {
    const twins = [at(0, 0.5), at(1, 0.5)]
    expect(nms(twins, 0.5, 10)).toEqual([twins[0]])
    expect(nms(twins.toReversed(), 0.5, 10)).toEqual([twins[1]])
  })
})
