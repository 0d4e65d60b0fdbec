import { AgentError } from '../core/errors.ts'
import type { Delivered } from '../core/stages.ts'
import { drawItems } from '../imaging/draw.ts'
import { encodeJpeg } from '../media/stills.ts'
import { copyOf } from '../media/yuv.ts'

/** Makes JPEGs of results: the picture with what was found drawn on it. */
export interface Annotator {
  /** Holds the frame only while it is copied. @throws AgentError LIMIT_EXCEEDED when it has enough to do */
  jpeg(delivered: Delivered): Promise<Uint8Array>
}

const QUALITY = 85
/** Pictures that are being made at once: each is a whole one in memory. */
const MAX_AT_ONCE = 3

/** An annotator that has nothing to do yet. */
export function annotator(): Annotator {
  let busy = 0
  return {
    async jpeg({ result, frame }) {
      if (busy >= MAX_AT_ONCE) {
        throw new AgentError(
          'LIMIT_EXCEEDED',
          `pictures of '${result.input}' come faster than they can be encoded (set maxPerSecond)`,
        )
      }
      busy += 1
      try {
        const picture = await copied(frame)
        drawItems(picture, result.items, result.kind)
        return await encodeJpeg(picture, QUALITY)
      } finally {
        busy -= 1
      }
    },
  }
}

async function copied(frame: Delivered['frame']): ReturnType<typeof copyOf> {
  frame.retain()
  try {
    return await copyOf(frame)
  } finally {
    frame.release()
  }
}
