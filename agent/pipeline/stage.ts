import { Observable, type OperatorFunction } from 'rxjs'

/** Something that a stage must let go of when nobody takes it further. */
export interface Held {
  release(): void
}

type Settled<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: unknown }

/**
 * One stage of the pipeline: `project` runs for several values at once (their number is bounded
 * upstream), results leave in the order in which the values came. A value that fails is released and
 * reported; the stream goes on. After an unsubscribe, what is under way is released when it settles.
 *
 * @param onFailure gets the error and the value that caused it
 */
export function stage<T extends Held, R>(
  project: (value: T) => Promise<R>,
  onFailure: (error: unknown, value: NoInfer<T>) => void,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      let tail: Promise<void> = Promise.resolve()
      const emit = (value: T, settled: Settled<R>): void => {
        if (settled.ok && !subscriber.closed) {
          subscriber.next(settled.value)
          return
        }
        value.release()
        if (!settled.ok && !subscriber.closed) onFailure(settled.error, value)
      }
      return source.subscribe({
        next(value) {
          const settled = settle(project(value))
          tail = tail.then(async () => emit(value, await settled))
        },
        error: (error) => void tail.then(() => subscriber.error(error)),
        complete: () => void tail.then(() => subscriber.complete()),
      })
    })
}

function settle<R>(promise: Promise<R>): Promise<Settled<R>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  )
}
