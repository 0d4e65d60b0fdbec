import type { Frame as AvFrame } from 'node-av/lib'
import type { Frame, RgbTarget, Yuv420 } from '../core/stages.ts'
import type { ColourMatrix, YuvColour } from '../imaging/colour.ts'
import { resizeYuv } from '../imaging/resize-yuv.ts'
import { countedFrame } from './counted-frame.ts'
import type { PixelConverter } from './node-av-convert.ts'
import type { DirectCopy } from './node-av-copy.ts'
import type { FramePool } from './node-av-frame-pool.ts'
import type { NodeAv } from './node-av-library.ts'
import { type SharedPlanes, yuvView } from './node-av-planes.ts'
import { swapsAxes, type Turn, turnPlane } from './orientation.ts'
import { copyYuv } from './yuv.ts'

/** What the frames of one video share. */
export interface VideoContext {
  readonly av: NodeAv
  readonly converter: PixelConverter
  readonly planes: SharedPlanes
  readonly direct: DirectCopy
  /** How its pictures are to be turned for display. */
  readonly turn: Turn | undefined
  readonly frames: FramePool
}

/** A frame over FFmpeg's own planes, which it gives back at its last release. Takes ownership of `frame`. */
export function videoFrame(context: VideoContext, frame: AvFrame): Frame {
  const { turn, converter, planes, direct, frames } = context
  nameMatrix(context.av, frame)
  const colour = colourOf(context.av, frame)
  const swapped = turn !== undefined && swapsAxes(turn)
  let converted: Promise<AvFrame> | undefined

  async function convertedPlanes(): Promise<Yuv420> {
    converted ??= converter.convert(frame)
    return yuvView(await converted)
  }

  return countedFrame({
    width: swapped ? frame.height : frame.width,
    height: swapped ? frame.width : frame.height,
    async scaleTo(target) {
      const [stored, meaning] = converter.isPlanar(frame)
        ? [planes.of(frame), colour]
        : [await convertedPlanes(), plainColour]
      if (turn) scaleTurned(stored, target, turn, meaning)
      else resizeYuv(stored, meaning, target)
    },
    async copyTo(target) {
      const plain = converter.isPlanar(frame) && isPlain(colour)
      if (plain && !turn && direct.into(target, frame)) return
      copyYuv(plain ? planes.of(frame) : await convertedPlanes(), target, turn)
    },
    free() {
      frames.giveBack(frame)
      converted?.then((plain) => plain.free()).catch(() => undefined)
    },
  })
}

/** Scaling commutes with turning, and the scaled picture is the smaller one to turn. */
function scaleTurned(stored: Yuv420, target: RgbTarget, turn: Turn, colour: YuvColour): void {
  const [width, height] = swapsAxes(turn)
    ? [target.height, target.width]
    : [target.width, target.height]
  const scaled = { width, height, stride: width * 3, data: new Uint8Array(width * height * 3) }
  resizeYuv(stored, colour, scaled)
  turnPlane(scaled, target, turn, 3)
}

/** How copies mean their numbers, whatever the video does. */
const plainColour: YuvColour = { matrix: 'bt709', range: 'limited' }

function isPlain({ matrix, range }: YuvColour): boolean {
  return matrix === plainColour.matrix && range === plainColour.range
}

function colourOf(av: NodeAv, frame: AvFrame): YuvColour {
  const { AVCOL_RANGE_JPEG, AV_PIX_FMT_YUVJ420P } = av.constants
  const full = frame.colorRange === AVCOL_RANGE_JPEG || frame.format === AV_PIX_FMT_YUVJ420P
  return { matrix: matrixOf(av, frame), range: full ? 'full' : 'limited' }
}

function matrixOf(av: NodeAv, { colorSpace }: AvFrame): ColourMatrix {
  const { AVCOL_SPC_SMPTE170M, AVCOL_SPC_BT470BG, AVCOL_SPC_FCC } = av.constants
  const standardDefinition = [AVCOL_SPC_SMPTE170M, AVCOL_SPC_BT470BG, AVCOL_SPC_FCC]
  return standardDefinition.some((space) => space === colorSpace) ? 'bt601' : 'bt709'
}

/** Video that does not say which matrix it uses has that of its size, as players take it. */
function nameMatrix(av: NodeAv, frame: AvFrame): void {
  const { AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M, AVCOL_SPC_UNSPECIFIED } = av.constants
  if (frame.colorSpace !== AVCOL_SPC_UNSPECIFIED) return
  frame.colorSpace = frame.height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M
}
