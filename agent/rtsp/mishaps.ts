import type { Log } from '../core/log.ts'
import { type Tally, tally } from '../net/tally.ts'

/** What goes wrong with viewers without being a fault of this server. */
export type Mishap =
  | 'refusedConnections'
  | 'refusedViewers'
  | 'badRequests'
  | 'wrongPasswords'
  | 'laggingViewers'
  | 'lostViewers'
  | 'unsentDatagrams'

/** How often each happened. */
export type Mishaps = Tally<Mishap>

/** None so far. */
export const mishapsOf = (log: Log): Mishaps => tally(log, 'trouble with viewers of video')
