import type { Metrics } from '../../schemas/state.ts'
import type { ProcessUsage } from './process-usage.ts'
import type { Resources } from './resources.ts'

/** What is reported of one service besides what its process uses. */
export interface ServiceUsage {
  readonly pid: number | undefined
  readonly restarts: number
  readonly fps: number
}

/** What a report is made of. */
export interface ReportParts {
  readonly intervalMs: number
  resources(): Promise<Resources>
  processUsage(pid: number): Promise<ProcessUsage>
  services(): ReadonlyMap<string, { readonly usage: ServiceUsage }>
  publish(metrics: Metrics): void
}

/** Publishes metrics now and at an interval; one reading at a time. Returns how to stop. */
export function reportMetrics(parts: ReportParts): () => void {
  let stopped = false
  let reading = false
  const report = async (): Promise<void> => {
    if (reading) return
    reading = true
    try {
      const [resources, services] = await Promise.all([parts.resources(), servicesOf(parts)])
      const uptimeS = Math.round(process.uptime())
      if (!stopped) parts.publish({ v: 1, at: Date.now(), uptimeS, ...resources, services })
    } finally {
      reading = false
    }
  }
  const timer = setInterval(() => void report(), parts.intervalMs)
  void report()
  return () => {
    stopped = true
    clearInterval(timer)
  }
}

async function servicesOf({ services, processUsage }: ReportParts): Promise<Metrics['services']> {
  const entries = [...services()].map(async ([id, { usage }]) => {
    const { pid, restarts, fps } = usage
    const used = pid === undefined ? {} : { pid, ...(await processUsage(pid)) }
    return [id, { ...used, restarts, fps }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}
