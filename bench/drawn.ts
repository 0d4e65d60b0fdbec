import type { Item } from '../schemas/results.ts'
import { built } from './material.ts'

const { placeLabel, styleFor, textOf } = (await built(
  'imaging/draw.js',
)) as typeof import('../agent/imaging/draw.ts')

interface Size {
  readonly width: number
  readonly height: number
}

/** Five boxes with labels, as the agent draws them. They stay where they are: the ffmpeg program cannot move its own. */
export function drawnItems({ width, height }: Size): Item[] {
  return [0, 1, 2, 3, 4].map((at) => ({
    label: 'person',
    classId: at,
    score: 0.5 + at / 10,
    box: [(at * width) / 6, (at * height) / 8, width / 8, height / 6],
  }))
}

/** The same for the ffmpeg program, filter by filter: the boxes and the grounds of their labels, without the text. */
export function drawboxFilters(picture: Size): string[] {
  const { thickness, scale } = styleFor(picture)
  return drawnItems(picture).flatMap((item) => {
    const [x, y, w, h] = item.box.map(Math.round) as [number, number, number, number]
    const box = { left: x, top: y, right: x + w, bottom: y + h }
    const label = placeLabel(picture, textOf(item), box, scale)?.area
    return [
      drawbox(x, y, w, h, thickness),
      ...(label
        ? [
            drawbox(
              label.left,
              label.top,
              label.right - label.left,
              label.bottom - label.top,
              'fill',
            ),
          ]
        : []),
    ]
  })
}

function drawbox(x: number, y: number, w: number, h: number, thickness: number | 'fill'): string {
  return `drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=red:t=${thickness}`
}
