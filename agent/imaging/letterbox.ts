import type { Box } from '../../schemas/results.ts'

/**
 * Where a whole frame lies in a model's input: scaled to `contentWidth` × `contentHeight` at the top
 * left, the rest is padding. Plain data: it travels from preprocess to postprocess.
 */
export interface Placement {
  readonly frameWidth: number
  readonly frameHeight: number
  readonly contentWidth: number
  readonly contentHeight: number
}

/** Keeps the aspect ratio; pads at the bottom or the right. No side becomes less than one pixel. */
export function letterbox(
  frameWidth: number,
  frameHeight: number,
  inputWidth: number,
  inputHeight: number,
): Placement {
  const scale = Math.min(inputWidth / frameWidth, inputHeight / frameHeight)
  return {
    frameWidth,
    frameHeight,
    contentWidth: side(frameWidth * scale, inputWidth),
    contentHeight: side(frameHeight * scale, inputHeight),
  }
}

function side(length: number, max: number): number {
  return Math.min(Math.max(Math.round(length), 1), max)
}

/** Fills the whole input, whatever becomes of the aspect ratio. */
export function stretch(
  frameWidth: number,
  frameHeight: number,
  inputWidth: number,
  inputHeight: number,
): Placement {
  return { frameWidth, frameHeight, contentWidth: inputWidth, contentHeight: inputHeight }
}

/** A box in pixels of the input, in pixels of the frame; not clipped. */
export function toFrame([x, y, width, height]: Box, placement: Placement): Box {
  const scaleX = placement.frameWidth / placement.contentWidth
  const scaleY = placement.frameHeight / placement.contentHeight
  return [x * scaleX, y * scaleY, width * scaleX, height * scaleY]
}
