import type { Frame, RgbTarget } from '../core/stages.ts'
import { rgbToYuv420 } from '../imaging/colour.ts'
import { type RgbPicture, resizeRgb } from '../imaging/resize.ts'
import { countedFrame } from './counted-frame.ts'
import { copyYuv } from './yuv.ts'

/** A frame over RGB pixels in memory, which nobody changes any more. @param freed called once they are given up */
export function rgbFrame({ width, height, data }: RgbPicture, freed?: () => void): Frame {
  let pixels: Uint8Array | undefined = data
  const held = () => pixels ?? new Uint8Array()
  return countedFrame({
    width,
    height,
    isRgb: true,
    scaleTo: async (target) => scaled({ width, height, data: held() }, target),
    copyTo: async (target) => copyYuv(rgbToYuv420(held(), width, height), target),
    free() {
      pixels = undefined
      freed?.()
    },
  })
}

function scaled(picture: RgbPicture, target: RgbTarget): void {
  const { width, height, data } = picture
  const same = target.width === width && target.height === height && target.stride === width * 3
  if (same) target.data.set(data)
  else resizeRgb(picture, target)
}
