import type { AgentError } from '../core/errors.ts'
import type { FromService } from './messages.ts'

type FaultMessage = Extract<FromService, { type: 'fault' }>

/** Reports faults that may come with every frame: the first at once, then at most one a second, counted. */
export interface FaultMeter {
  fault(error: AgentError, where: { readonly input?: string; readonly output?: string }): void
  /** Sends what was counted; to be called once a second. */
  flush(): void
}

interface Meter {
  reported: boolean
  pending?: FaultMessage
}

/** @param send takes a report */
export function faultMeter(send: (message: FaultMessage) => void): FaultMeter {
  const meters = new Map<string, Meter>()
  return {
    fault(error, where) {
      const key = `${error.code} ${where.input ?? ''} ${where.output ?? ''}`
      const meter = meters.get(key) ?? { reported: false }
      meters.set(key, meter)
      const count = (meter.pending?.count ?? 0) + 1
      const message: FaultMessage = { type: 'fault', error: error.toInfo(), ...where, count }
      if (meter.reported) {
        meter.pending = message
        return
      }
      meter.reported = true
      send(message)
    },
    flush() {
      for (const [key, { pending }] of meters) {
        if (pending) send(pending)
        if (pending) meters.set(key, { reported: true })
        else meters.delete(key)
      }
    },
  }
}
