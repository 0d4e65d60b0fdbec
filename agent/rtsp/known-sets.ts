import { type ParameterSets, parameterSets } from '../mux/h264.ts'

/** The newest parameter sets of a stream, and who waits for the first ones. */
export interface KnownSets {
  /** Whether somebody waits. */
  readonly awaited: boolean
  learn(accessUnit: Uint8Array): void
  /** Settles at once where they are known, with undefined after `ms` or when given up. */
  get(ms: number): Promise<ParameterSets | undefined>
  giveUp(): void
}

/** Nothing known yet. */
export function knownSets(): KnownSets {
  let known: ParameterSets | undefined
  const awaiting = new Set<(sets: ParameterSets | undefined) => void>()

  function settleAll(): void {
    for (const settle of [...awaiting]) settle(known)
  }
  return {
    get awaited() {
      return awaiting.size > 0
    },
    learn(accessUnit) {
      const found = parameterSets(accessUnit)
      if (!found) return
      known = { sps: found.sps.slice(), pps: found.pps.slice() }
      settleAll()
    },
    async get(ms) {
      if (known) return known
      return await new Promise((resolve) => {
        function settle(sets: ParameterSets | undefined): void {
          clearTimeout(timer)
          awaiting.delete(settle)
          resolve(sets)
        }
        const timer = setTimeout(() => settle(undefined), ms)
        awaiting.add(settle)
      })
    },
    giveUp: settleAll,
  }
}
