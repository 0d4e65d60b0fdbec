import type { Frame } from '../agent/core/stages.ts'
import { rgbToYuv420 } from '../agent/imaging/colour.ts'
import { resizeRgb } from '../agent/imaging/resize.ts'
import { copyYuv } from '../agent/media/yuv.ts'

/** A frame over RGB bytes (interleaved, no padding), for tests that need no decoder. */
export function rgbFrame(width: number, height: number, rgb: Uint8Array): Frame {
  let references = 1
  const alive = () => {
    if (references < 1) throw new Error('the frame was used after its release')
  }
  return {
    width,
    height,
    async scaleTo(target) {
      alive()
      resizeRgb({ width, height, data: rgb }, target)
    },
    async copyTo(target) {
      alive()
      copyYuv(rgbToYuv420(rgb, width, height), target)
    },
    retain() {
      alive()
      references += 1
    },
    release() {
      alive()
      references -= 1
    },
  }
}
