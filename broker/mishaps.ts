import type { Log } from '../agent/core/log.ts'
import { type Tally, tally } from '../agent/net/tally.ts'

/** What a broker does to clients that go past its limits. */
export type Mishap =
  | 'refusedConnections'
  | 'brokenConnections'
  | 'refusedPublishes'
  | 'refusedFilters'
  | 'droppedMessages'
  | 'disconnectedLaggards'
  | 'unqueuedMessages'
  | 'unretainedMessages'

/** How often each happened. */
export type Mishaps = Tally<Mishap>

/** None so far. */
export const mishapsOf = (log: Log): Mishaps => tally(log, 'the broker turned things away')
