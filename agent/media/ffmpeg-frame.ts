import type { Frame } from '../core/stages.ts'
import type { YuvColour } from '../imaging/colour.ts'
import { resizeYuv } from '../imaging/resize-yuv.ts'
import { countedFrame } from './counted-frame.ts'
import type { PicturePool, PooledPicture } from './picture-pool.ts'
import { copyYuv } from './yuv.ts'

/** What ffmpeg was told to make of any video. */
const colour: YuvColour = { matrix: 'bt709', range: 'limited' }

/** A frame over a picture of `pool`, which gets it back at the last release. */
export function pooledFrame(pool: PicturePool, picture: PooledPicture): Frame {
  const { planes } = picture
  return countedFrame({
    width: planes.width,
    height: planes.height,
    scaleTo: async (target) => resizeYuv(planes, colour, target),
    copyTo: async (target) => copyYuv(planes, target),
    free: () => pool.giveBack(picture),
  })
}
