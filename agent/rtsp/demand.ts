/** Whether a stream is wanted, and when it last was asked for a key picture. */
export interface StreamDemand {
  /** Somebody wants packets until `release`. */
  hold(): void
  /** The last one to release ends the demand, a while later: who described a stream is about to play it. */
  release(): void
  /** Asks for a key picture; asks again after a while, as long as somebody waits for one. */
  askKey(): void
  close(): void
}

/** What a demand needs. */
export interface DemandParts {
  readonly wanted: (on: boolean) => void
  readonly key: () => void
  /** Whether somebody can do nothing without a key picture. */
  readonly waiting: () => boolean
  readonly lingerMs: number
  readonly keyMs: number
}

/** Nobody wants anything yet. */
export function streamDemand(parts: DemandParts): StreamDemand {
  let holders = 0
  let on = false
  let linger: NodeJS.Timeout | undefined
  let pause: NodeJS.Timeout | undefined

  function set(value: boolean): void {
    if (value === on) return
    on = value
    parts.wanted(value)
  }

  function askKey(): void {
    if (pause) return
    pause = setTimeout(() => {
      pause = undefined
      if (parts.waiting()) askKey()
    }, parts.keyMs).unref()
    parts.key()
  }

  return {
    hold() {
      holders += 1
      clearTimeout(linger)
      set(true)
    },
    release() {
      holders -= 1
      if (holders > 0) return
      clearTimeout(linger)
      linger = setTimeout(() => set(false), parts.lingerMs).unref()
    },
    askKey,
    close() {
      clearTimeout(linger)
      clearTimeout(pause)
      set(false)
    },
  }
}
