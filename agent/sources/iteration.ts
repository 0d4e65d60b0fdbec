import type { Sample, Source, SourceEvents } from '../core/stages.ts'

type Samples = AsyncGenerator<Sample, void, void>

/**
 * Gives the samples of one opening, or a promise of them, where something must be opened first; that a generator yields
 * what another one does takes longer for each sample. Ends soon after `signal` is aborted.
 */
export type OpenSamples = (signal: AbortSignal, events: SourceEvents) => Samples | Promise<Samples>

/**
 * `Source.samples` over a generator. A plain generator's `return()` waits until a pending `next()`
 * has settled; here it ends that wait, and so does the signal, which also closes an iteration that
 * nobody pulls any more.
 */
export function samplesBy(open: OpenSamples): Source['samples'] {
  return (signal, events) => ({ [Symbol.asyncIterator]: () => iterate(open, signal, events) })
}

const ended: IteratorReturnResult<void> = { done: true, value: undefined }

function iterate(
  open: OpenSamples,
  outer: AbortSignal,
  events: SourceEvents,
): AsyncIterator<Sample, void> {
  const inner = new AbortController()
  let opening: Promise<Samples> | undefined
  let generator: Samples | undefined
  const begin = () => {
    const samples = open(inner.signal, events)
    opening = Promise.resolve(samples)
    return samples
  }
  const stop = async () => {
    outer.removeEventListener('abort', stopQuietly)
    inner.abort()
    // Whoever waits for the opening asks for a sample as soon as it is there: only what has begun can clean up.
    await opening?.then(
      (samples) => samples.return(),
      () => undefined,
    )
  }
  const stopQuietly = () => {
    // It was only read, and nobody wants it any more: how it closes changes nothing for anyone.
    stop().catch(() => undefined)
  }
  if (outer.aborted) stopQuietly()
  else outer.addEventListener('abort', stopQuietly)

  return {
    async next() {
      if (inner.signal.aborted) return ended
      try {
        const samples = generator ?? opening ?? begin()
        generator = samples instanceof Promise ? await samples : samples
        const result = await generator.next()
        if (!result.done && !inner.signal.aborted) return result
        if (!result.done) result.value.frame.release()
      } catch (error) {
        if (!inner.signal.aborted) {
          outer.removeEventListener('abort', stopQuietly)
          throw error
        }
      }
      await stop()
      return ended
    },
    async return() {
      await stop()
      return ended
    },
  }
}
