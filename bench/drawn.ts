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

/** The same for the ffmpeg program, filter by filter: a box, its label's ground, and the text, in its own font, as large. */
export function drawingFilters(picture: Size): string[] {
  const { thickness, scale } = styleFor(picture)
  return drawnItems(picture).flatMap((item) => {
    const [left = 0, top = 0, width = 0, height = 0] = item.box.map(Math.round)
    const box = { left, top, right: left + width, bottom: top + height }
    const label = placeLabel(picture, textOf(item), box, scale)
    if (!label) return [drawbox(box, thickness)]
    return [drawbox(box, thickness), drawbox(label.area, 'fill'), drawtext(label, scale)]
  })
}

function drawbox({ left, top, right, bottom }: Rectangle, thickness: number | 'fill'): string {
  return `drawbox=x=${left}:y=${top}:w=${right - left}:h=${bottom - top}:color=red:t=${thickness}`
}

function drawtext(
  { text, area }: NonNullable<ReturnType<typeof placeLabel>>,
  scale: number,
): string {
  const { left, top, bottom } = area
  const where = `x=${left + scale}:y=${top + scale}:fontsize=${bottom - top}`
  return `drawtext=expansion=none:text='${text}':${where}:fontcolor=black`
}
