import type { Handlers } from '../calls.ts'
import type { HttpParts } from '../parts.ts'
import { agentFamilies } from '../prometheus/agent.ts'
import { exposer } from '../prometheus/exposition.ts'
import type { HttpTraffic } from '../prometheus/http-traffic.ts'
import { machineFamilies } from '../prometheus/machine.ts'
import { serviceFamilies } from '../prometheus/services.ts'

/** Metrics for Prometheus. */
export function metricsRoutes(
  parts: Pick<HttpParts, 'control' | 'info' | 'events' | 'broker' | 'presence'>,
  traffic: HttpTraffic,
): Handlers<'GET /metrics'> {
  const startedAt = Date.now()
  const expose = exposer(traffic.durations)
  return {
    async 'GET /metrics'({ headers }) {
      const { control, info, events, broker, presence } = parts
      const facts = { info: info(), startedAt, broker, events: events.counts }
      const families = [
        ...agentFamilies(facts),
        traffic.requests,
        ...serviceFamilies(control.services),
        ...machineFamilies(presence.measured),
      ]
      const { contentType, text } = await expose(families, headers.accept)
      return { headers: { 'content-type': contentType }, body: Buffer.from(text) }
    },
  }
}
