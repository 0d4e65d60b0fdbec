import { AgentError } from '../core/errors.ts'
import type { Delivered, Frame } from '../core/stages.ts'
import { yuv420ToRgb } from '../imaging/colour.ts'
import { drawItems } from '../imaging/draw.ts'
import type { RgbPicture } from '../imaging/resize.ts'
import { encodeJpeg, encodePng } from '../media/stills.ts'
import { copyOf } from '../media/yuv.ts'

/** Makes JPEGs of results: the picture with what was found drawn on it. */
export interface Annotator {
  /** Holds the frame while it is copied, and not while it waits. @throws AgentError LIMIT_EXCEEDED when it has enough to do, and refuses more */
  jpeg(delivered: Delivered): Promise<Uint8Array>
}

/** How an annotated picture is encoded. */
export type PictureFormat = 'jpeg' | 'png'

const QUALITY = 85
/** Pictures that are being made at once: each is a whole one in memory. */
const MAX_AT_ONCE = 3

/** An annotator that has nothing to do yet. @param whenBusy what it does with what comes while it has enough to do */
export function annotator(whenBusy: 'refuses' | 'waits'): Annotator {
  const waiting: (() => void)[] = []
  let busy = 0

  /** Nothing to wait for is undefined: then the frame is retained before its giver goes on. */
  function begin(input: string): Promise<void> | undefined {
    if (busy < MAX_AT_ONCE) {
      busy += 1
      return undefined
    }
    if (whenBusy === 'waits') return new Promise((resolve) => waiting.push(resolve))
    throw new AgentError(
      'LIMIT_EXCEEDED',
      `pictures of '${input}' come faster than they can be encoded (set maxPerSecond)`,
    )
  }

  function end(): void {
    const next = waiting.shift()
    if (next) next()
    else busy -= 1
  }

  return {
    async jpeg(delivered) {
      const turn = begin(delivered.result.input)
      if (turn) await turn
      try {
        return await annotated(delivered, 'jpeg')
      } finally {
        end()
      }
    },
  }
}

/**
 * The picture of a result, in its full size, with what was found drawn on it. Holds the frame only while it
 * is copied; how many are made at once is up to the caller.
 */
export async function annotated(
  { result, frame }: Delivered,
  format: PictureFormat,
): Promise<Uint8Array> {
  const picture = await rgbCopy(frame)
  drawItems(picture, result.items, result.kind)
  return format === 'jpeg' ? encodeJpeg(picture, QUALITY) : encodePng(picture)
}

/** A still is RGB already: through YUV it would lose colour, and most of the time would go there. */
async function rgbCopy(frame: Frame): Promise<RgbPicture> {
  frame.retain()
  try {
    const { width, height } = frame
    if (!frame.isRgb) return { width, height, data: yuv420ToRgb(await copyOf(frame)) }
    const data = Buffer.allocUnsafe(width * height * 3)
    await frame.scaleTo({ width, height, data, stride: width * 3 })
    return { width, height, data }
  } finally {
    frame.release()
  }
}
