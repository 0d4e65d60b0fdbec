/** The room of one output for results on their way to its destination. */
export interface OutputRoom {
  /** Takes a place for a result of `input`; undefined when there is none: it is dropped. */
  take(input: string): OutputPlace | undefined
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

/** How long somebody waits for a destination at most, ms. */
const PATIENCE_MS = 1000

/** Room with all its places free. */
export function outputRoom({ perInput, places, further }: RoomSize): OutputRoom {
  const taken = new Map<string, number>()
  const waiting = new Map<string, Set<() => void>>()

  function wait(key: string): Promise<void> {
    const others = waiting.get(key) ?? new Set()
    waiting.set(key, others)
    return new Promise((resolve) => {
      const goOn = (): void => {
        clearTimeout(late)
        others.delete(goOn)
        resolve()
      }
      const late = setTimeout(goOn, PATIENCE_MS)
      others.add(goOn)
    })
  }

  function free(key: string): void {
    const left = (taken.get(key) ?? 0) - 1
    if (left > 0) taken.set(key, left)
    else taken.delete(key)
    const [first] = waiting.get(key) ?? []
    first?.()
    if (waiting.get(key)?.size === 0) waiting.delete(key)
  }

  return {
    take(input) {
      const key = perInput ? input : ''
      const count = (taken.get(key) ?? 0) + 1
      if (count > places + further) return undefined
      taken.set(key, count)
      return { next: count < places ? undefined : wait(key), free: () => free(key) }
    },
  }
}
