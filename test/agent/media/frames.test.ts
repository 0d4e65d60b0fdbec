import { afterEach, describe, expect, it } from 'vitest'
import { countedFrame } from '../../../agent/media/counted-frame.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { type Plane, turnOf, turnPlane } from '../../../agent/media/orientation.ts'
import { copyOf } from '../../../agent/media/yuv.ts'

describe('a counted frame', () => {
  afterEach(() => {
    expect(liveFrames()).toBe(0)
  })

  function frame(scaleTo = async () => undefined) {
    const state = { freed: 0 }
    const picture = { width: 4, height: 2, scaleTo, copyTo: async () => {} }
    return { state, frame: countedFrame({ ...picture, free: () => state.freed++ }) }
  }

  const target = { width: 2, height: 2, stride: 6, data: new Uint8Array(12) }

  it('frees its memory with its last release, at once', () => {
    const { frame: counted, state } = frame()
    counted.retain()
    expect(liveFrames()).toBe(1)
    counted.release()
    expect(state.freed).toBe(0)
    counted.release()
    expect(state.freed).toBe(1)
  })

  it('refuses a release too many, and any use after the last', async () => {
    const { frame: counted, state } = frame()
    counted.release()
    expect(() => counted.release()).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    expect(() => counted.retain()).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    await expect(counted.scaleTo(target)).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(copyOf(counted)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(state.freed).toBe(1)
  })

  it('keeps its memory until the work on it is done', async () => {
    let finish: () => void = () => undefined
    const { frame: counted, state } = frame(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(undefined)
        }),
    )
    const scaling = counted.scaleTo(target)
    counted.release()
    expect(state.freed).toBe(0)
    finish()
    await scaling
    expect(state.freed).toBe(1)
  })

  it('refuses a target that its rows do not fit into', async () => {
    const { frame: counted } = frame()
    await expect(counted.scaleTo({ ...target, stride: 5 })).rejects.toMatchObject({
      code: 'INTERNAL',
    })
    counted.release()
  })
})

describe('orientation', () => {
  const one = 0x10000
  const matrix = (...[a, b, c, d]: [number, number, number, number]) =>
    new Uint8Array(new Int32Array([a, b, 0, c, d, 0, 0, 0, 1 << 30]).buffer)

  it('is upright without a matrix, with the identity and at odd angles', () => {
    expect(turnOf(undefined)).toBeUndefined()
    expect(turnOf(matrix(one, 0, 0, one))).toBeUndefined()
    expect(turnOf(matrix(46341, 46341, -46341, 46341))).toBeUndefined()
  })

  it.each([
    ['a quarter to the right', matrix(0, one, -one, 0), ['531', '642']],
    ['a quarter to the left', matrix(0, -one, one, 0), ['246', '135']],
    ['by half', matrix(-one, 0, 0, -one), ['65', '43', '21']],
    ['over its vertical axis', matrix(-one, 0, 0, one), ['21', '43', '65']],
  ])('turns %s', (_, display, rows) => {
    const turn = turnOf(display)
    if (!turn) throw new Error('no turn')
    const from: Plane = { width: 2, height: 3, stride: 3, data: Buffer.from('12.34.56.') }
    const width = rows[0]?.length ?? 0
    const to = { width, height: rows.length, stride: width, data: Buffer.alloc(6) }
    turnPlane(from, to, turn, 1)
    expect(to.data.toString()).toBe(rows.join(''))
  })
})
