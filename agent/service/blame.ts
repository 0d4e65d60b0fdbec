import type { NativeWork } from './crash-record.ts'

/** Signals by which native code ends its process. */
const faults: readonly string[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE']

/** Attributes crashes to the inputs that native code was working on. */
export interface Blame {
  /**
   * Notes a crash. @returns the ids that are to be quarantined: two crashes are theirs
   * @param busy what native code worked on (see `crash-record.ts`)
   * @param now ms
   */
  crashed(
    signal: string | null,
    busy: ReadonlyMap<string, readonly NativeWork[]>,
    now: number,
  ): string[]
  /** The id was set anew: it gets another chance. */
  forgive(id: string): void
}

/** A crash counts for this long. */
const MEMORY_MS = 10 * 60_000
const QUARANTINE_AT = 2

/**
 * A crash counts one for its only suspect, and a share for each of several. An input that was being
 * opened is suspected before those that had been running.
 */
export function blame(): Blame {
  const marks = new Map<string, { readonly share: number; readonly at: number }[]>()
  return {
    crashed(signal, busy, now) {
      if (!signal || !faults.includes(signal)) return []
      const opening = [...busy].filter(([, works]) =>
        works.some((work) => work === 'open' || work === 'load'),
      )
      const suspects = (opening.length > 0 ? opening : [...busy]).map(([id]) => id)
      for (const id of suspects) {
        const recent = (marks.get(id) ?? []).filter(({ at }) => now - at < MEMORY_MS)
        marks.set(id, [...recent, { share: 1 / suspects.length, at: now }])
      }
      const guilty = suspects.filter((id) => total(marks.get(id)) >= QUARANTINE_AT - 1e-9)
      for (const id of guilty) marks.delete(id)
      return guilty
    },
    forgive: (id) => void marks.delete(id),
  }
}

function total(marks: readonly { readonly share: number }[] | undefined): number {
  return (marks ?? []).reduce((sum, { share }) => sum + share, 0)
}
