import { Histogram } from 'prom-client'
import { type Family, family, type Sample } from './family.ts'

/** One request that was answered. */
export interface Answered {
  readonly method: string
  /** As in the contract, with its `{…}`; absent: there is none. */
  readonly route: string | undefined
  readonly status: number
  readonly seconds: number
}

/** Requests, and how long they took. */
export interface HttpTraffic {
  answered(request: Answered): void
  readonly requests: Family
  readonly durations: Histogram
}

/** From a plain read to an upload. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** No requests yet. */
export function httpTraffic(): HttpTraffic {
  const counts = new Map<string, Sample>()
  const durations = new Histogram({
    name: 'heliograph_http_request_duration_seconds',
    help: 'From a request to the end of its answer.',
    labelNames: ['method', 'route'],
    buckets: BUCKETS_S,
    registers: [],
  })
  return {
    answered({ method, route = 'none', status, seconds }) {
      const key = `${method} ${route} ${status}`
      const { labels, value } = counts.get(key) ?? {
        labels: { method, route, status: String(status) },
        value: 0,
      }
      counts.set(key, { labels, value: value + 1 })
      durations.observe({ method, route }, seconds)
    },
    get requests() {
      const help = 'HTTP requests answered.'
      return family('counter', 'heliograph_http_requests_total', help, [...counts.values()])
    },
    durations,
  }
}
