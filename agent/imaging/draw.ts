import type { Item, ResultKind } from '../../schemas/results.ts'
import { classColour, inkOn, type YuvPixel } from './class-colour.ts'
import {
  type Canvas,
  fill,
  lettersIn,
  outline,
  type Rectangle,
  textHeight,
  textWidth,
  within,
  write,
} from './paint.ts'

/** Sizes in pixels, grown with the picture so that 360p and 4K look alike. */
interface Style {
  /** Of a line. */
  readonly thickness: number
  /** Pixels per dot of the font. */
  readonly scale: number
}

interface Label {
  readonly text: string
  readonly area: Rectangle
}

/** How each kind of result is drawn. */
const painters: Readonly<Record<ResultKind, typeof drawDetections>> = {
  detections: drawDetections,
}

/**
 * Draws what was found onto a picture, which the caller owns: boxes with label and score, in a colour
 * per class, the best on top. Nothing is written outside the picture.
 */
export function drawItems(
  picture: Canvas,
  items: readonly Item[],
  kind: ResultKind = 'detections',
): void {
  painters[kind](picture, items, styleFor(picture))
}

/** Writes into the bottom left how old the boxes are that a picture shows, ms. */
export function drawAge(picture: Canvas, ageMs: number): void {
  const { scale } = styleFor(picture)
  const corner = { left: 0, top: picture.height, right: 1, bottom: picture.height + 1 }
  const label = placeLabel(picture, `${Math.max(0, Math.round(ageMs))} ms`, corner, scale)
  if (label) drawLabel(picture, label, scale, AGE_COLOUR)
}

const AGE_COLOUR = [60, 128, 128] as const

function drawLabel(picture: Canvas, { text, area }: Label, scale: number, colour: YuvPixel): void {
  fill(picture, area, colour)
  write(picture, text, { left: area.left + scale, top: area.top + scale, scale }, inkOn(colour))
}

/** The line and font size for a picture. */
export function styleFor({ width, height }: Pick<Canvas, 'width' | 'height'>): Style {
  const side = Math.min(width, height)
  return {
    thickness: Math.max(2, Math.round(side / 240)),
    scale: Math.max(1, Math.round(side / 320)),
  }
}

function drawDetections(picture: Canvas, items: readonly Item[], style: Style): void {
  for (const item of items.toReversed()) drawDetection(picture, item, style)
}

function drawDetection(picture: Canvas, item: Item, style: Style): void {
  const colour = classColour(item.classId)
  const box = pixelsOf(item, picture)
  if (box.right <= box.left || box.bottom <= box.top) return
  outline(picture, box, style.thickness, colour)
  const label = placeLabel(picture, textOf(item), box, style.scale)
  if (label) drawLabel(picture, label, style.scale, colour)
}

/** At least one pixel, of which nothing may lie in the picture. */
function pixelsOf({ box: [x, y, width, height] }: Item, picture: Canvas): Rectangle {
  const left = Math.round(x)
  const top = Math.round(y)
  const right = Math.max(Math.round(x + width), left + 1)
  const bottom = Math.max(Math.round(y + height), top + 1)
  return within({ left, top, right, bottom }, picture.width, picture.height)
}

/** What the label of an item says. */
export function textOf({ label, score, track }: Item): string {
  const number = track === undefined ? '' : ` #${track}`
  return `${label}${number} ${Math.round(score * 100)}%`
}

/**
 * Above the box; inside it where there is no room above; always within the picture, and cut at its
 * width. None in a picture that is too small for text.
 */
export function placeLabel(
  { width, height }: Pick<Canvas, 'width' | 'height'>,
  text: string,
  box: Rectangle,
  scale: number,
): Label | undefined {
  const shown = text.slice(0, lettersIn(width - 2 * scale, scale))
  const high = textHeight(scale) + 2 * scale
  if (shown === '' || high > height) return undefined
  const wide = textWidth(shown, scale) + 2 * scale
  const left = Math.max(0, Math.min(box.left, width - wide))
  const top = box.top >= high ? box.top - high : Math.max(0, Math.min(box.top, height - high))
  return { text: shown, area: { left, top, right: left + wide, bottom: top + high } }
}
