import type { Model, Sample } from '../core/stages.ts'
import type { MediaEngine } from '../media/engine.ts'
import { type CrashPlace, crashNote } from './crash-record.ts'

/** The same samples; until the first one is there, the crash record says that the source is opened. */
export async function* noted(
  samples: AsyncIterable<Sample>,
  place: CrashPlace,
): AsyncGenerator<Sample> {
  crashNote(place, 'open', true)
  try {
    for await (const sample of samples) {
      crashNote(place, 'open', false)
      yield sample
    }
  } finally {
    crashNote(place, 'open', false)
  }
}

/** The same engine; while native code reads or decodes, the crash record says so. */
export function notedEngine(engine: MediaEngine, place: CrashPlace): MediaEngine {
  const reading = async <T>(task: Promise<T>): Promise<T> => {
    crashNote(place, 'read', true)
    try {
      return await task
    } finally {
      crashNote(place, 'read', false)
    }
  }
  return {
    name: engine.name,
    async open(input, options) {
      const reader = await reading(engine.open(input, options))
      return {
        info: reader.info,
        next: () => reading(reader.next()),
        rewind: () => reading(reader.rewind()),
        close: () => reader.close(),
      }
    },
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
