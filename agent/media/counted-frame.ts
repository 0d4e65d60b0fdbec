import { AgentError } from '../core/errors.ts'
import type { Frame, RgbTarget, Yuv420 } from '../core/stages.ts'
import { countFrames } from './frame-count.ts'

/** What a kind of frame provides; reference counting is added by `countedFrame`. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly isRgb?: boolean
  scaleTo(target: RgbTarget): Promise<void>
  copyTo(target: Yuv420): Promise<void>
  /** Gives its memory back. Called once, when nothing uses the picture any more. */
  free(): void
}

/**
 * A frame over `picture` with one reference, the caller's. Its memory is given back at the last
 * release, or when the work that was going on then has settled.
 * @throws AgentError INTERNAL when it is used or released after its last release
 */
export function countedFrame(picture: Picture): Frame {
  return new CountedFrame(picture)
}

class CountedFrame implements Frame {
  readonly width: number
  readonly height: number
  readonly isRgb: boolean
  readonly #picture: Picture
  #references = 1

  constructor(picture: Picture) {
    this.width = picture.width
    this.height = picture.height
    this.isRgb = picture.isRgb ?? false
    this.#picture = picture
    countFrames(1)
  }

  async scaleTo(target: RgbTarget): Promise<void> {
    checkTarget(target)
    await this.#held(() => this.#picture.scaleTo(target))
  }

  async copyTo(target: Yuv420): Promise<void> {
    if (target.width > this.width || target.height > this.height) {
      throw new AgentError(
        'INTERNAL',
        `cannot copy a ${this.width}×${this.height} frame to ${target.width}×${target.height}: it must not be larger`,
      )
    }
    await this.#held(() => this.#picture.copyTo(target))
  }

  retain(): void {
    this.#demandLive('retained')
    this.#references += 1
  }

  release(): void {
    this.#demandLive('released')
    this.#references -= 1
    if (this.#references > 0) return
    countFrames(-1)
    this.#picture.free()
  }

  async #held<Value>(work: () => Promise<Value>): Promise<Value> {
    this.retain()
    try {
      return await work()
    } finally {
      this.release()
    }
  }

  #demandLive(done: string): void {
    if (this.#references > 0) return
    throw new AgentError(
      'INTERNAL',
      `a ${this.width}×${this.height} frame was ${done} after its last release`,
    )
  }
}

function checkTarget({ width, height, stride, data }: RgbTarget): void {
  const fits = stride >= 3 * width && data.length >= stride * (height - 1) + 3 * width
  if (width > 0 && height > 0 && fits) return
  throw new AgentError(
    'INTERNAL',
    `cannot scale to ${width}×${height} in ${data.length} bytes with stride ${stride}: it takes 3 × width a row`,
  )
}
