import { map, type Observable } from 'rxjs'
import type { Item, StageMs } from '../../schemas/results.ts'
import type { Model, Prepared, Sample } from '../core/stages.ts'
import { pulled, type Work } from './pulled.ts'
import type { Slots } from './slots.ts'
import { stage } from './stage.ts'

/** A loaded model; another object after each reload. */
export interface Loaded {
  readonly model: Model
  readonly id: string
}

/** That objects are followed: among the items are some below `minScore`, for the tracker alone. */
export interface Tracking {
  readonly minScore: number
}

/** What a run gave; `stale`: another model was loaded meanwhile, so prepare the sample anew. */
export type Inference =
  | { readonly stale: true }
  | {
      readonly stale: false
      readonly items: readonly Item[]
      readonly tracking?: Tracking
      readonly inferMs: number
      readonly postprocessMs: number
    }

/** What the pipeline needs of the inference threads. */
export interface Inferrer {
  current(): Promise<Loaded>
  preprocess(by: Loaded, sample: Sample): Promise<Prepared>
  run(by: Loaded, prepared: Prepared): Promise<Inference>
}

/** A sample with what was found in it. */
export interface Inferred extends Work {
  readonly model: Loaded
  readonly items: readonly Item[]
  readonly tracking?: Tracking
  readonly ms: StageMs
}

interface Ready extends Work {
  readonly by: Loaded
  readonly prepared: Prepared
  readonly preprocessMs: number
}

type Infers = Ready & { readonly outcome: Extract<Inference, { stale: false }> }

/**
 * The paper's stages, in order. They overlap: while one sample is inferred the next is preprocessed
 * and the one after is decoded, so the slowest stage sets the pace and not their sum.
 *
 * @param onFailure a sample failed in a stage; the stream goes on with the next
 */
export function results(
  samples: AsyncIterable<Sample>,
  slots: Slots,
  inferrer: Inferrer,
  onFailure: (error: unknown) => void,
): Observable<Inferred> {
  return pulled(samples, slots).pipe(
    stage((work) => preprocess(inferrer, work), onFailure),
    stage((work) => infer(inferrer, work), onFailure),
    map(finish),
  )
}

async function preprocess(inferrer: Inferrer, work: Work): Promise<Ready> {
  const by = await inferrer.current()
  const start = performance.now()
  const prepared = await inferrer.preprocess(by, work.sample)
  return { ...work, by, prepared, preprocessMs: performance.now() - start }
}

async function infer(inferrer: Inferrer, work: Ready): Promise<Infers> {
  const outcome = await inferrer.run(work.by, work.prepared)
  if (!outcome.stale) return { ...work, outcome }
  return infer(inferrer, await preprocess(inferrer, work))
}

function finish({ sample, readAt, release, by, preprocessMs, outcome }: Infers): Inferred {
  const { items, tracking, inferMs, postprocessMs } = outcome
  const elapsed = performance.now() - readAt
  const ms = {
    decode: hundredths(sample.decodeMs),
    queue: hundredths(Math.max(0, elapsed - preprocessMs - inferMs - postprocessMs)),
    preprocess: hundredths(preprocessMs),
    infer: hundredths(inferMs),
    postprocess: hundredths(postprocessMs),
  }
  return { sample, readAt, release, model: by, items, ms, ...(tracking ? { tracking } : {}) }
}

const hundredths = (ms: number): number => Math.round(ms * 100) / 100
