import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { AgentError } from '../core/errors.ts'
import type { Prepared } from '../core/stages.ts'
import type { Loaded } from '../pipeline/results.ts'
import type { Waiter } from './batching.ts'
import type { CrashPlace } from './crash-record.ts'
import type { FromInference, RunEnd, ToInference } from './inference-messages.ts'

/** A sample that waits to be inferred. */
export interface Job extends Waiter {
  readonly by: Loaded
  readonly prepared: Prepared
  readonly place: CrashPlace
}

/** Samples that are inferred at once. */
export interface Run {
  readonly jobs: readonly Job[]
  /** When it was next, or handed over; `performance.now()`. */
  since: number
  /** Of a model that has not run yet. */
  readonly first: boolean
}

/** An inference thread, and the runs that it was handed, in their order. */
export interface Thread {
  readonly worker: Worker
  readonly runs: Map<number, Run>
  /** Takes what is no run's end. */
  answer?: (message: FromInference) => void
}

/** Tells each of a run's samples how the run ended. */
export function settle(jobs: readonly Job[], end: RunEnd): void {
  if (end.type === 'error') {
    for (const job of jobs) job.fail(AgentError.fromInfo(end.error))
    return
  }
  const { answers, inferMs } = end
  for (const [index, answer] of answers.entries()) {
    if ('error' in answer) jobs[index]?.fail(AgentError.fromInfo(answer.error))
    else jobs[index]?.settle({ stale: false, ...answer, inferMs })
  }
}

/** A thread's last message may be lost when it ends, but never that it ended. */
export async function ended(worker: Worker): Promise<void> {
  const exit = once(worker, 'exit')
  worker.postMessage({ type: 'close' } satisfies ToInference)
  await exit
}

/** Of several alike, the first. */
export function leastBusy([first, ...others]: readonly Thread[]): Thread | undefined {
  return others.reduce((a, b) => (a && b.runs.size >= a.runs.size ? a : b), first)
}

/** Sends a message that is answered by another. */
export function ask(thread: Thread, message: ToInference): Promise<FromInference> {
  return new Promise((resolve) => {
    thread.answer = resolve
    thread.worker.postMessage(message)
  })
}

/** An idle inference thread of this process. */
export function inferenceThread(index: number): Worker {
  return new Worker(new URL('./inference-thread.js', import.meta.url), {
    workerData: { thread: index },
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  })
}
