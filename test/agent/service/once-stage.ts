import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Sample, Source } from '../../../agent/core/stages.ts'
import { rgbFrame } from '../../../agent/media/rgb-frame.ts'
import type { Inferrer, Loaded } from '../../../agent/pipeline/results.ts'
import { crashRecord } from '../../../agent/service/crash-record.ts'
import type { FromService, Once } from '../../../agent/service/messages.ts'
import { OnceJobs, type OnceJobsParts } from '../../../agent/service/once-jobs.ts'
import { dog } from '../sinks/surroundings.ts'

/** What requests post to main. */
export type Posted = Extract<FromService, { request: string }>

/** Of every picture, which is grey. */
export const size = { width: 160, height: 120 }
/** The level of its grey. */
export const GREY = 128

/** Requests of a service whose sources hold as many pictures as their URL says, each with a dog. */
export class OnceStage {
  readonly posted: Posted[] = []
  /** The lane of each run, in order. */
  readonly lanes: string[] = []
  /** Pictures read so far, by URL. */
  readonly read: Record<string, number> = {}
  readonly jobs: OnceJobs
  readonly #waiting = new Set<() => void>()

  constructor(others: Partial<OnceJobsParts> = {}, model: Promise<Loaded> = Promise.resolve(any)) {
    const record = crashRecord(join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'a.crash'))
    this.jobs = new OnceJobs({
      record,
      maxAlive: 3,
      admitted: async () => undefined,
      input: () => undefined,
      source: ({ spec }) => this.#source(spec.url),
      inferrer: (lane) => this.#inferrer(lane, model),
      publish: () => undefined,
      post: (message) => this.#post(message),
      ...others,
    })
    onTestFinished(async () => {
      await this.jobs.close()
    })
  }

  start(request: string, pictures: number, others: Partial<Once> = {}): void {
    this.jobs.start({ request, spec: { url: String(pictures) }, publish: false, ...others })
  }

  of<T extends Posted['type']>(type: T, request: string): Extract<Posted, { type: T }>[] {
    return this.posted.filter(
      (message): message is Extract<Posted, { type: T }> =>
        message.type === type && message.request === request,
    )
  }

  /** Waits for a number of messages of a type. */
  until(type: Posted['type'], request: string, count = 1): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.of(type, request).length < count) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  #post(message: Posted): void {
    this.posted.push(message)
    for (const look of this.#waiting) look()
  }

  #source(url: string): Source {
    const stage = this
    return {
      live: false,
      async *samples(signal) {
        for (let at = 0; at < Number(url) && !signal.aborted; at += 1) {
          stage.read[url] = at + 1
          yield sample(at)
        }
      },
    }
  }

  #inferrer(lane: () => string, model: Promise<Loaded>): Inferrer {
    return {
      current: () => model,
      preprocess: async (_by, { pts }) => ({ inputs: {}, meta: pts }),
      run: async () => {
        this.lanes.push(lane())
        return { stale: false, items: [dog], inferMs: 1, postprocessMs: 0 }
      },
    }
  }
}

const any: Loaded = {
  id: 'any',
  model: {
    kind: 'detections',
    preprocess: () => Promise.reject(new Error('the inferrer does it')),
    postprocess: () => [],
  },
}

/** A grey picture. */
export function sample(at: number): Sample {
  const data = new Uint8Array(size.width * size.height * 3).fill(GREY)
  const frame = rgbFrame({ ...size, data })
  return { kind: 'picture', frame, capturedAt: Date.now(), decodeMs: 1, pts: at }
}
