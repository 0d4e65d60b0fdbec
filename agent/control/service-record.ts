import type { InputStats, Stats } from '../../schemas/state.ts'
import type { OutputReport } from '../service/messages.ts'
import type { FromRunning } from '../service/supervisor.ts'
import type { Desired } from './service-state.ts'

/** Samples of one input since the agent started. */
export type InputCounts = Pick<InputStats, 'in' | 'inferred' | 'dropped' | 'failed'>

/** Results of one output since the agent started. */
export type OutputCounts = Pick<OutputReport, 'written' | 'dropped'>

/** What a service has done since the agent started, over all its processes: counts never fall. */
export interface ServiceCounts {
  readonly inputs: Readonly<Record<string, InputCounts>>
  readonly outputs: Readonly<Record<string, OutputCounts>>
  /** Events of QoS 0 that did not reach the broker. */
  readonly undelivered: number
}

/** What is known of a service's work. */
export interface ServiceFacts {
  /** The last report of its process, while there is one. */
  readonly stats: Stats | undefined
  readonly counts: ServiceCounts
  /** Whether anything was inferred since the service was wanted. */
  readonly inferred: boolean
}

/** Adds up what a service's processes report. */
export interface ServiceRecord {
  readonly facts: ServiceFacts
  /** Samples inferred in the last second. */
  readonly fps: number
  /** @param desired nothing is kept of inputs and outputs that are not wanted any more */
  heard(message: FromRunning, desired: Pick<Desired, 'inputs' | 'outputs'>): void
  /** It is wanted anew. */
  wanted(): void
  /** Its process is gone: nothing flows, and outputs count from 0 again. */
  exited(): void
}

/** A service that has done nothing yet. */
export function serviceRecord(): ServiceRecord {
  let stats: Stats | undefined
  let inferred = false
  let undelivered = 0
  let inputs: Readonly<Record<string, InputCounts>> = {}
  let outputs: Readonly<Record<string, OutputCounts>> = {}
  let reported: Readonly<Record<string, OutputCounts>> = {}

  function heardStats(news: Stats, desired: Desired['inputs']): void {
    stats = news
    undelivered += news.undelivered
    const seen = Object.entries(news.inputs).filter(([id]) => id in desired)
    const added = seen.map(([id, input]) => [id, sum(inputs[id], input)] as const)
    inputs = { ...within(inputs, desired), ...Object.fromEntries(added) }
    inferred ||= Object.values(news.inputs).some((input) => input.inferred > 0)
  }
  function heardOutput({ id, written, dropped }: OutputReport, desired: Desired['outputs']): void {
    if (!(id in desired)) return
    const now = { written, dropped }
    outputs = { ...within(outputs, desired), [id]: grown(outputs[id], reported[id], now) }
    reported = { ...within(reported, desired), [id]: now }
  }
  return {
    get facts() {
      return { stats, counts: { inputs, outputs, undelivered }, inferred }
    },
    get fps() {
      return Object.values(stats?.inputs ?? {}).reduce((all, input) => all + input.inferred, 0)
    },
    heard(message, desired) {
      if (message.type === 'stats') heardStats(message.stats, desired.inputs)
      if (message.type === 'output') heardOutput(message.report, desired.outputs)
    },
    wanted() {
      inferred = false
    },
    exited() {
      stats = undefined
      reported = {}
    },
  }
}

function sum(before: InputCounts | undefined, now: InputCounts): InputCounts {
  return {
    in: (before?.in ?? 0) + now.in,
    inferred: (before?.inferred ?? 0) + now.inferred,
    dropped: (before?.dropped ?? 0) + now.dropped,
    failed: (before?.failed ?? 0) + now.failed,
  }
}

/** An output counts from when it was opened: where it counts less than before, it was opened anew. */
function grown(
  total: OutputCounts = { written: 0, dropped: 0 },
  last: OutputCounts = { written: 0, dropped: 0 },
  now: OutputCounts,
): OutputCounts {
  const anew = now.written < last.written || now.dropped < last.dropped
  const since = anew ? { written: 0, dropped: 0 } : last
  return {
    written: total.written + now.written - since.written,
    dropped: total.dropped + now.dropped - since.dropped,
  }
}

function within<T>(all: Readonly<Record<string, T>>, desired: object): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([id]) => id in desired))
}
