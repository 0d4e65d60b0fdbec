import { type NativeWork, nameInRecord } from './crash-record.ts'

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
export const CRASH_MEMORY_MS = 10 * 60_000
const QUARANTINE_AT = 2
const once = nameInRecord({ kind: 'once' })

/**
 * An input is guilty when it is all that two crashes in a row have in common, or when its shares of
 * crashes (one for an only suspect, a part for each of several) add up to two. What is new, an input that
 * was being opened or a single request, is suspected before inputs that had been running.
 */
export function blame(): Blame {
  const marks = new Map<string, { readonly share: number; readonly at: number }[]>()
  let before: { readonly working: readonly string[]; readonly at: number } | undefined
  return {
    crashed(signal, busy, now) {
      if (!signal || !faults.includes(signal)) return []
      const working = atWork(busy)
      const suspects = suspectsAmong(working)
      for (const id of suspects) {
        const recent = (marks.get(id) ?? []).filter(({ at }) => now - at < CRASH_MEMORY_MS)
        marks.set(id, [...recent, { share: 1 / suspects.length, at: now }])
      }
      const recently = before && now - before.at < CRASH_MEMORY_MS ? before.working : []
      const common = suspects.filter((id) => recently.includes(id))
      before = { working: working.map(([id]) => id), at: now }
      const guilty = suspects.filter(
        (id) =>
          total(marks.get(id)) >= QUARANTINE_AT - 1e-9 || (common.length === 1 && common[0] === id),
      )
      for (const id of guilty) marks.delete(id)
      return guilty
    },
    forgive(id) {
      marks.delete(id)
      before = undefined
    },
  }
}

type Working = readonly (readonly [id: string, works: readonly NativeWork[]])[]

/** Whom native code worked for. That a source is being opened is none: it may wait for pictures all day. */
function atWork(busy: ReadonlyMap<string, readonly NativeWork[]>): Working {
  const working = [...busy].filter(([, works]) => works.some((work) => work !== 'open'))
  return working.length > 0 ? working : [...busy]
}

/** While the model is loaded, everybody is suspected: its threads run beside the inputs'. */
function suspectsAmong(working: Working): string[] {
  const loading = working.some(([, works]) => works.includes('load'))
  const fresh = working.filter(([id, works]) => id === once || works.includes('open'))
  const suspects = loading || fresh.length === 0 ? working : fresh
  return suspects.map(([id]) => id)
}

function total(marks: readonly { readonly share: number }[] | undefined): number {
  return (marks ?? []).reduce((sum, { share }) => sum + share, 0)
}
