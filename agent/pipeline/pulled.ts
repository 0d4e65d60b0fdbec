import { Observable, type Subscriber } from 'rxjs'
import type { Sample } from '../core/stages.ts'
import type { Slots } from './slots.ts'

/** A sample on its way. Whoever ends its way calls `release`, once; more calls do nothing. */
export interface Work {
  readonly sample: Sample
  /** When it was read; `performance.now()`. */
  readonly readAt: number
  release(): void
}

/**
 * Samples as an Observable that asks for the next one when a slot is free: nothing is dropped and
 * nothing piles up, whatever the pace of the source and of the stages behind. Unsubscribing ends the
 * iteration and so releases the source; samples already under way are released by their stages.
 */
export function pulled(samples: AsyncIterable<Sample>, slots: Slots): Observable<Work> {
  return new Observable((subscriber) => {
    const iterator = samples[Symbol.asyncIterator]()
    pump(iterator, slots, subscriber).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
    return () => void iterator.return?.()
  })
}

async function pump(
  iterator: AsyncIterator<Sample>,
  slots: Slots,
  subscriber: Subscriber<Work>,
): Promise<void> {
  for (;;) {
    await slots.take()
    const sample = subscriber.closed ? undefined : await readNext(iterator, slots)
    if (!sample) return slots.give(false)
    const work = held(sample, slots)
    if (subscriber.closed) return work.release()
    subscriber.next(work)
  }
}

async function readNext(
  iterator: AsyncIterator<Sample>,
  slots: Slots,
): Promise<Sample | undefined> {
  try {
    const next = await iterator.next()
    return next.done ? undefined : next.value
  } catch (error) {
    slots.give(false)
    throw error
  }
}

function held(sample: Sample, slots: Slots): Work {
  let released = false
  slots.fill()
  return {
    sample,
    readAt: performance.now(),
    release() {
      if (released) return
      released = true
      sample.frame.release()
      slots.give(true)
    },
  }
}
