import type { Model, Sample } from '../core/stages.ts'
import type { MediaEngine } from '../media/engine.ts'
import { type CrashPlace, crashNote, type NativeWork } from './crash-record.ts'

/** Pictures that prove an input: a decoder that crashes does so, as a rule, in its first ones. */
export const PROVING_PICTURES = 3

/** The note that a source is being opened: it stays until the source has proven itself. */
export interface OpeningNote {
  /** The same samples; the note begins, and at the latest ends, with them. */
  over(samples: AsyncIterable<Sample>): AsyncGenerator<Sample>
  /** One more picture was read. */
  picture(): void
}

/** @param proven is called as often as the source is opened and proves itself */
export function openingNote(place: CrashPlace, proven: () => void): OpeningNote {
  let missing = 0
  return {
    async *over(samples) {
      missing = PROVING_PICTURES
      crashNote(place, 'open', true)
      try {
        yield* samples
      } finally {
        crashNote(place, 'open', false)
      }
    },
    picture() {
      missing -= 1
      if (missing !== 0) return
      crashNote(place, 'open', false)
      proven()
    },
  }
}

/** Runs native code that reads or decodes for an input; meanwhile the crash record says so. */
export function notedRead<T>(place: CrashPlace, work: () => Promise<T>): Promise<T> {
  return notedWork(place, 'read', work)
}

async function notedWork<T>(
  place: CrashPlace,
  kind: NativeWork,
  work: () => Promise<T>,
): Promise<T> {
  crashNote(place, kind, true)
  try {
    return await work()
  } finally {
    crashNote(place, kind, false)
  }
}

/** The same engine; while native code reads or decodes, the crash record says so. */
export function notedEngine(engine: MediaEngine, place: CrashPlace): MediaEngine {
  return {
    ...engine,
    async open(input, options) {
      const reader = await notedRead(place, () => engine.open(input, options))
      return {
        get info() {
          return reader.info
        },
        next: () => notedRead(place, () => reader.next()),
        rewind: () => notedRead(place, () => reader.rewind()),
        close: () => reader.close(),
      }
    },
  }
}

/** The same engine; while native code encodes, the crash record says so. */
export function notedEncoding(engine: MediaEngine, place: CrashPlace): MediaEngine {
  return {
    ...engine,
    async encode(options) {
      const encoder = await notedWork(place, 'encode', () => engine.encode(options))
      return {
        name: encoder.name,
        picture: encoder.picture,
        encode: (pts, key) => notedWork(place, 'encode', () => encoder.encode(pts, key)),
        close: () => encoder.close(),
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
  return await notedWork(place, 'scale', () => model.preprocess(sample, pool))
}
