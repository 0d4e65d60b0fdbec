import type { RgbPicture } from '../imaging/resize.ts'
import { writeFrameNumber } from '../media/frame-number.ts'

type Colour = readonly [number, number, number]

const ground: Colour = [32, 64, 96]
const paint: Colour = [240, 200, 40]

/** Where the square of frame `number` lies: `[x, y, width, height]`, pixels. It moves 4 a frame. */
export function squareAt(
  number: number,
  { width, height }: { readonly width: number; readonly height: number },
): readonly [number, number, number, number] {
  const side = Math.max(8, Math.min(width, height) >> 2)
  const room = Math.max(1, width - side)
  return [(number * 4) % room, (height - side) >> 1, side, side]
}

/** Draws frame `number`: the square on plain ground, and the number in the topmost rows. */
export function drawScene(number: number, width: number, height: number): RgbPicture {
  const picture = { width, height, data: plain(width, height, ground) }
  const [x, y, side] = squareAt(number, picture)
  const row = plain(side, 1, paint)
  for (let line = y; line < Math.min(y + side, height); line++) {
    picture.data.set(row.subarray(0, (width - x) * 3), (line * width + x) * 3)
  }
  if (height >= 16) writeFrameNumber(picture, number)
  return picture
}

function plain(width: number, height: number, colour: Colour): Uint8Array {
  return new Uint8Array(Buffer.alloc(width * height * 3, Uint8Array.from(colour)))
}
