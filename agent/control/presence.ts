import { type AddressBook, agentTopic } from '../../schemas/address.ts'
import type { AgentInfo, AgentStatus, Alert, LogLine, Metrics } from '../../schemas/state.ts'
import type { Bus, Delivery } from '../core/bus.ts'
import type { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'

const RETAINED: Delivery = { qos: 1, retain: true }

/** Publishes on the agent's own topics. */
export interface Presence {
  state(state: AgentStatus['state']): void
  info(info: AgentInfo): void
  metrics(metrics: Metrics): void
  /** The last metrics, if there are any yet. */
  readonly measured: Metrics | undefined
  /** Raises an alert, or with nothing clears it. Raising it again changes nothing but its detail. */
  alert(id: string, problem: AgentError | undefined, severity?: Alert['severity']): void
  log(line: LogLine): void
}

/** @param boot new at every start of the agent */
export function presence(bus: Bus, book: AddressBook, boot: string): Presence {
  const since = new Map<string, number>()
  let measured: Metrics | undefined
  const send = (path: string, value: object | undefined, delivery: Delivery): void =>
    bus.publish(agentTopic(book, path), value ? JSON.stringify(value) : '', delivery)
  return {
    state: (state) => send('$state', { state, boot, at: Date.now() }, RETAINED),
    info: (info) => send('$info', info, RETAINED),
    metrics(metrics) {
      measured = metrics
      send('$metrics', metrics, { qos: 0, retain: true })
    },
    get measured() {
      return measured
    },
    log: (line) => send('$log', line, { qos: 0, retain: false }),
    alert(id, problem, severity = 'error') {
      if (!problem) {
        if (since.delete(id)) send(`$alert/${id}`, undefined, RETAINED)
        return
      }
      const at = since.get(id) ?? Date.now()
      since.set(id, at)
      const detail = redact(problem.message)
      send(
        `$alert/${id}`,
        { severity, code: problem.code, since: at, detail } satisfies Alert,
        RETAINED,
      )
    },
  }
}
