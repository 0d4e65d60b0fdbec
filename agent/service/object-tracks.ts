import type { Item } from '../../schemas/results.ts'
import type { TrackEvent } from '../../schemas/state.ts'
import type { Inferred } from '../pipeline/results.ts'
import type { TrackChange } from '../tracking/track.ts'
import { type Tracker, tracker } from '../tracking/tracker.ts'

/** What `ObjectTracks` reads of an inferred sample. */
export type Followable = Pick<Inferred, 'sample' | 'model' | 'items' | 'tracking'>

/** Follows one input's objects, run by run, while the options ask for it, and tells of their lives. */
export class ObjectTracks {
  readonly #input: string
  readonly #tell: (event: TrackEvent) => void
  #run = ''
  #tracker: Tracker = tracker()
  #model: string | undefined

  constructor(input: string, tell: (event: TrackEvent) => void) {
    this.#input = input
    this.#tell = tell
  }

  /** The input was opened anew: what was followed is over, and numbers begin at 1 again. */
  begin(run: string): void {
    this.end()
    this.#run = run
    this.#tracker = tracker()
  }

  /** The next sample's items as they are to be reported. Another model knows nothing of the last one's. */
  follow({ sample, model, items, tracking }: Followable): readonly Item[] {
    if (!tracking || model.id !== this.#model) this.end()
    this.#model = model.id
    if (!tracking) return items
    const followed = this.#tracker.update(items, sample, tracking.minScore)
    this.#report(followed.events)
    return followed.items
  }

  /** Ends what is followed: the source is gone, or nobody wants to know any more. */
  end(): void {
    this.#report(this.#tracker.end())
  }

  #report(changes: readonly TrackChange[]): void {
    for (const change of changes) {
      this.#tell({ v: 1, ...change, input: this.#input, run: this.#run, at: Date.now() })
    }
  }
}

/** The items of a sample that stands alone: without those that only a tracker can use. */
export function untracked({ items, tracking }: Followable): readonly Item[] {
  return tracking ? items.filter(({ score }) => score >= tracking.minScore) : items
}
