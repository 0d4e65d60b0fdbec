import { rgbToYuv } from './colour.ts'

/** `[Y, U, V]`, limited range. */
export type YuvPixel = readonly [number, number, number]

/** Turning by the golden angle keeps the hues of classes with near ids far apart. */
const GOLDEN_ANGLE = 137.508
const SATURATION = [0.95, 0.7, 0.85] as const

/** A bright colour that is always the same for a class, and differs from that of its neighbours. */
export function classColour(classId: number): YuvPixel {
  const saturation = SATURATION[Math.abs(classId) % SATURATION.length] ?? 1
  return rgbToYuv(fromHue((classId * GOLDEN_ANGLE) % 360, saturation))
}

/** The luma of black or of white, whichever is easier to read on `background`. */
export function inkOn([luma]: YuvPixel): number {
  return luma > 125 ? 16 : 235
}

/** HSV with full value as RGB bytes. */
function fromHue(degrees: number, saturation: number): [number, number, number] {
  const channel = (turn: number) => {
    const sector = (turn + degrees / 60) % 6
    return 255 * (1 - saturation * Math.max(0, Math.min(sector, 4 - sector, 1)))
  }
  return [channel(5), channel(3), channel(1)]
}
