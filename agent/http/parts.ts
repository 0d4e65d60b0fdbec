import type { AddressBook } from '../../schemas/address.ts'
import type { Config } from '../../schemas/config.ts'
import type { AgentInfo } from '../../schemas/state.ts'
import type { Access } from '../access/access.ts'
import type { AgentControl } from '../control/agent-control.ts'
import type { Presence } from '../control/presence.ts'
import type { Log } from '../core/log.ts'
import type { EventLog } from '../events/event-log.ts'
import type { WebTrust } from '../net/web-trust.ts'
import type { BrokerCounts } from './prometheus/agent.ts'

/** What the HTTP interface stands on. */
export interface HttpParts {
  readonly config: Config['http']
  readonly book: AddressBook
  readonly log: Log
  readonly trust: WebTrust
  readonly access: Access
  readonly control: AgentControl
  /** Where uploads lie while they are worked on. */
  readonly uploadFolder: string
  /** What `$info` says now. */
  info(): AgentInfo
  readonly events: EventLog
  readonly broker: BrokerCounts
  readonly presence: Pick<Presence, 'measured'>
}
