import type { Log } from '../core/log.ts'
import type { Arrivals } from './arrivals.ts'
import type { User } from './auth.ts'
import type { RtspLimits } from './limits.ts'
import type { Mishaps } from './mishaps.ts'
import type { Session } from './session.ts'
import type { OfferedStream } from './stream.ts'
import type { UdpPorts } from './udp-ports.ts'

/** What all connections of one server share. */
export interface Hall {
  readonly users: readonly User[]
  readonly limits: RtspLimits
  /** Viewers at once. */
  readonly clients: number
  readonly queueBytes: number
  readonly streams: ReadonlyMap<string, OfferedStream>
  readonly arrivals: Arrivals
  /** Whether a stream that is not there will be, soon. */
  isComing(path: string): boolean
  /** By id. */
  readonly sessions: Map<string, Session>
  /** The ports for viewers of one address family; opened on first use. */
  udp(family: 4 | 6): Promise<UdpPorts>
  readonly tally: Mishaps
  readonly log: Log
}
