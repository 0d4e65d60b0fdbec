import type { InputRunner } from './input-runner.ts'
import { turns } from './turns.ts'
import { within } from './within.ts'

/** For how long an input that does not open holds up the next, ms. */
const OPENING_MS = 500
/** The same after a crash, for one that does not prove itself, ms. */
const PROVING_MS = 10_000
/** Inputs that do not prove themselves hold up the others no longer than this in all, ms. */
const PATIENCE_MS = 30_000

/** What is waited for of an input. */
export type Opened = Pick<InputRunner, 'opened' | 'proven'>

/** Opens inputs one after another, so that a crash while opening is one input's. */
export interface Openings {
  /** Opens one in its turn; resolves when that is done, though those behind it wait for longer. */
  take(open: () => Promise<Opened | undefined>): Promise<void>
  /** Resolves when a request for one result may begin, within 10 s, or when the signal is aborted. */
  admitted(signal: AbortSignal): Promise<void>
}

/**
 * None yet.
 * @param careful after a crash: an input must prove itself before the next one may be the cause of another, and
 * requests begin after those that were opened before them
 */
export function openings(careful: boolean): Openings {
  const waiting = turns()
  let patienceMs = careful ? PATIENCE_MS : 0
  async function settled({ opened, proven }: Opened): Promise<void> {
    if (patienceMs <= 0) await within(OPENING_MS, opened)
    // A live source may have nothing to show all day, and there may be dozens of them.
    else if (!(await within(PROVING_MS, proven))) patienceMs -= PROVING_MS
  }
  return {
    take(open) {
      return new Promise((resolve, reject) => {
        const turn = waiting.take('opening', async () => {
          const input = await open()
          resolve()
          if (input) await settled(input)
        })
        turn.catch(reject)
      })
    },
    async admitted(signal) {
      if (!careful) return
      const before = waiting.take('opening', async () => undefined)
      await within(PROVING_MS, Promise.race([before, aborted(signal)]))
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
}
