import type { AddressBook } from '../../schemas/address.ts'
import type { Config } from '../../schemas/config.ts'
import type { AgentInfo } from '../../schemas/state.ts'
import type { Access } from '../access/access.ts'
import type { AgentControl } from '../control/agent-control.ts'
import type { Log } from '../core/log.ts'
import type { WebTrust } from '../net/web-trust.ts'
import type { ModelStore } from '../store/store.ts'

/** What the HTTP interface stands on. */
export interface HttpParts {
  readonly config: Config['http']
  readonly book: AddressBook
  readonly log: Log
  readonly trust: WebTrust
  readonly access: Access
  readonly control: AgentControl
  readonly store: ModelStore
  /** What `$info` says now. */
  info(): AgentInfo
}
