/** The room of one output for results on their way to its destination. */
export interface OutputRoom {
  /**
   * Takes a place for a result of `input`; undefined when there is none: it is dropped.
   * @param waits whether its giver waits when told to; others get none of the further places
   */
  take(input: string, waits: boolean): OutputPlace | undefined
}

/** A result's place. */
export interface OutputPlace {
  /** Whoever gave the result gives the next one when this has settled; undefined: at once. */
  readonly next: Promise<void> | undefined
  /** The result is where it was to go, or given up. */
  free(): void
}

/** How much room there is. */
export interface RoomSize {
  /** Whether each input has a room of its own, or all share one. */
  readonly perInput: boolean
  /** Places; whoever takes the last one, or a further one, waits until so few are taken again. */
  readonly places: number
  /** Further places: for those who come before they have heard that they are to wait. */
  readonly further: number
}

/** A destination to which nothing has got for so long, ms, is stuck, and nobody waits for it. */
const PATIENCE_MS = 1000

/** Somebody who waits. */
interface Waiting {
  readonly patience: NodeJS.Timeout
  goOn(): void
}

/** Room with all its places free. */
export function outputRoom({ perInput, places, further }: RoomSize): OutputRoom {
  const taken = new Map<string, number>()
  const waiting = new Map<string, Set<Waiting>>()

  function wait(key: string): Promise<void> {
    const others = waiting.get(key) ?? new Set()
    waiting.set(key, others)
    return new Promise((resolve) => {
      const one: Waiting = {
        patience: setTimeout(() => one.goOn(), PATIENCE_MS),
        goOn() {
          clearTimeout(one.patience)
          others.delete(one)
          resolve()
        },
      }
      others.add(one)
    })
  }

  function free(key: string): void {
    const left = (taken.get(key) ?? 0) - 1
    if (left > 0) taken.set(key, left)
    else taken.delete(key)
    const [first, ...others] = waiting.get(key) ?? []
    first?.goOn()
    for (const { patience } of others) patience.refresh()
    if (others.length === 0) waiting.delete(key)
  }

  return {
    take(input, waits) {
      const key = perInput ? input : ''
      const count = (taken.get(key) ?? 0) + 1
      if (count > places + (waits ? further : 0)) return undefined
      taken.set(key, count)
      return { next: waits && count >= places ? wait(key) : undefined, free: () => free(key) }
    },
  }
}
