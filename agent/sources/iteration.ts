import type { Sample, Source, SourceEvents } from '../core/stages.ts'

/** Gives the samples of one opening; ends soon after `signal` is aborted. */
export type OpenSamples = (
  signal: AbortSignal,
  events: SourceEvents,
) => AsyncGenerator<Sample, void, void>

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
  const generator = open(inner.signal, events)
  const stop = async () => {
    outer.removeEventListener('abort', stopQuietly)
    inner.abort()
    await generator.return()
  }
  const stopQuietly = () => {
    // It was only read, and nobody wants it any more: how it closes changes nothing for anyone.
    stop().catch(() => undefined)
  }
  if (outer.aborted) stopQuietly()
  else outer.addEventListener('abort', stopQuietly)

  return {
    async next() {
      try {
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
