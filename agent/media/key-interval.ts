import { VIDEO_CLOCK } from '../core/video.ts'
import type { EncodeOptions } from './engine.ts'

/** Says whether the picture at `pts` has to be a key picture. Asked once for each picture, in order. */
export type KeyInterval = (pts: number, asked: boolean) => boolean

/**
 * A key picture first, where one is asked for, and before `keyIntervalS` have passed: counting pictures, as
 * encoders do, goes wrong where fewer come than `fps` says.
 */
export function keyInterval({
  fps,
  keyIntervalS,
}: Pick<EncodeOptions, 'fps' | 'keyIntervalS'>): KeyInterval {
  const longest = (keyIntervalS - 0.5 / fps) * VIDEO_CLOCK
  let last: number | undefined
  return (pts, asked) => {
    const key = asked || last === undefined || pts - last >= longest
    if (key) last = pts
    return key
  }
}
