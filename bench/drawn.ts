import type { Rectangle } from '../agent/imaging/paint.ts'
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
    const [left = 0, top = 0, width = 0, height = 0] = item.box.map(Math.round)
    const box = { left, top, right: left + width, bottom: top + height }
    const label = placeLabel(picture, textOf(item), box, scale)
    return [drawbox(box, thickness), ...(label ? [drawbox(label.area, 'fill')] : [])]
  })
}

function drawbox({ left, top, right, bottom }: Rectangle, thickness: number | 'fill'): string {
  return `drawbox=x=${left}:y=${top}:w=${right - left}:h=${bottom - top}:color=red:t=${thickness}`
}
