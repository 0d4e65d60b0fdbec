import type { Model, Sample } from '../core/stages.ts'
import { type CrashPlace, crashNote } from './crash-record.ts'

/** The same samples; while the next one is read, the crash record says so. */
export async function* noted(
  samples: AsyncIterable<Sample>,
  place: CrashPlace,
): AsyncGenerator<Sample> {
  const iterator = samples[Symbol.asyncIterator]()
  let work: 'open' | 'read' = 'open'
  try {
    for (;;) {
      crashNote(place, work, true)
      const next = await iterator.next()
      crashNote(place, work, false)
      if (next.done) return
      work = 'read'
      yield next.value
    }
  } finally {
    crashNote(place, work, false)
    await iterator.return?.()
  }
}

/** The same preparation; while native code scales, the crash record says so. */
export async function notedPreprocess(
  model: Model,
  sample: Sample,
  pool: Parameters<Model['preprocess']>[1],
  place: CrashPlace,
): ReturnType<Model['preprocess']> {
  crashNote(place, 'scale', true)
  try {
    return await model.preprocess(sample, pool)
  } finally {
    crashNote(place, 'scale', false)
  }
}
