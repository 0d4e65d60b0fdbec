/** One thing that the proof asserts, and what was measured. */
export interface Verdict {
  readonly name: string
  readonly passed: boolean
  readonly measured: string
}

/** A damaged recording must not flood the table. */
const LONGEST = 300

/** Asserts something of a recording. What throws has failed: the recording lacks what it needs. */
export function verdict(name: string, judge: () => Omit<Verdict, 'name'>): Verdict {
  try {
    const { passed, measured } = judge()
    return { name, passed, measured: measured.slice(0, LONGEST) }
  } catch (error) {
    return { name, passed: false, measured: error instanceof Error ? error.message : String(error) }
  }
}

/** Passes if no fault was found; else shows the first ones. */
export function none(faults: readonly string[], otherwise: string): Omit<Verdict, 'name'> {
  const more = faults.length > 3 ? ` … and ${faults.length - 3} more` : ''
  const measured = faults.length === 0 ? otherwise : `${faults.slice(0, 3).join('; ')}${more}`
  return { passed: faults.length === 0, measured }
}

/** Passes if the time is known and within its limit. */
export function within(ms: number | undefined, limitMs: number): Omit<Verdict, 'name'> {
  const measured = ms === undefined ? 'never' : `${Math.round(ms)} ms (limit ${limitMs})`
  return { passed: ms !== undefined && ms <= limitMs, measured }
}
