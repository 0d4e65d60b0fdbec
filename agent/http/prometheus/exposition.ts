import {
  collectDefaultMetrics,
  type Metric,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from 'prom-client'
import type { Family } from './family.ts'

/** Metrics as a scraper reads them. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

type Format = PrometheusContentType | OpenMetricsContentType

/** Gauges that are named like counters. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

/**
 * Writes metrics as Prometheus text or, where `Accept` names it, as OpenMetrics: the families given, `durations`, and
 * those of this process, which are counted from the first time on.
 */
export function exposer(durations: Metric) {
  // Writing OpenMetrics renames a registry's counters for good, so each format has its own.
  const ofProcess = new Map<Format, Registry<Format>>()
  return async (families: readonly Family[], accept = ''): Promise<Exposition> => {
    const contentType = accept.includes('application/openmetrics-text')
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE
    const lasting = ofProcess.get(contentType) ?? processRegistry(contentType)
    ofProcess.set(contentType, lasting)
    const ours = registryOf(contentType)
    for (const one of families) if (one.samples.length > 0) ours.registerMetric(metricOf(one))
    ours.registerMetric(durations)
    return { contentType, text: await Registry.merge([ours, lasting] as Registry[]).metrics() }
  }
}

/** Event loop, heap, file descriptors and garbage collections of the main process. */
function processRegistry(contentType: Format): Registry<Format> {
  const registry = registryOf(contentType)
  collectDefaultMetrics({ register: registry as Registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  return registry
}

function registryOf(contentType: Format): Registry<Format> {
  const registry = new Registry<Format>()
  registry.setContentType(contentType)
  return registry
}

/** What a registry asks of a metric. The library's own classes take increments where there are totals here. */
function metricOf({ samples, ...family }: Family): Metric {
  const metric = {
    ...family,
    get: async () => ({ ...metric, aggregator: 'sum', values: samples }),
  }
  return metric as unknown as Metric
}
