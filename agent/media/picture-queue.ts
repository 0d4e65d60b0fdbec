import { Writable } from 'node:stream'
import { AgentError } from '../core/errors.ts'
import { nutDemuxer } from './nut.ts'
import type { PicturePool, PooledPicture } from './picture-pool.ts'

/** A decoded picture and its time, seconds. */
export interface QueuedPicture {
  readonly picture: PooledPicture
  readonly pts: number
}

/** Pictures on their way from a program: few, since it waits while they are not taken. */
export interface PictureQueue {
  /** Takes the program's output, a NUT stream of raw pictures. */
  readonly stream: Writable
  /** The next picture; nothing once the queue is ended and empty. */
  next(): Promise<QueuedPicture | undefined>
  /** No picture comes any more. */
  end(): void
  /** The same, and those that wait are dropped. */
  clear(): void
}

/** Waiting pictures, besides the one that is coming in. */
const maxWaiting = 2

/** An empty queue of pictures in memory of `pool`. */
export function pictureQueue(pool: PicturePool): PictureQueue {
  const waiting: QueuedPicture[] = []
  let incoming: PooledPicture | undefined
  let ended = false
  let resume: (() => void) | undefined
  let wake: (() => void) | undefined

  const demuxer = nutDemuxer({
    allocate(bytes) {
      if (bytes !== pool.pictureBytes) return Buffer.alloc(bytes)
      incoming = pool.lend()
      return incoming.bytes
    },
    take({ time }) {
      if (incoming) waiting.push({ picture: incoming, pts: time })
      incoming = undefined
      wake?.()
    },
  })

  const stream = new Writable({
    // fluent-ffmpeg takes `close` for a program that has to be stopped.
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      if (ended) return done()
      try {
        demuxer.write(chunk)
      } catch (error) {
        return done(AgentError.from(error))
      }
      if (waiting.length < maxWaiting) done()
      else resume = done
    },
  })

  function flow(): void {
    const done = resume
    resume = undefined
    done?.()
  }

  function end(): void {
    ended = true
    wake?.()
    flow()
  }

  return {
    stream,
    async next() {
      while (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const next = waiting.shift()
      if (waiting.length < maxWaiting) flow()
      return next
    },
    end,
    clear() {
      waiting.length = 0
      end()
    },
  }
}
