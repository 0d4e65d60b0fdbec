import { rm } from 'node:fs/promises'
import { AgentError } from '../core/errors.ts'
import { pull } from './pull.ts'
import type { PullJob, PullProgress, PullReport } from './pull-messages.ts'
import { scratchToucher } from './scratch.ts'

/** Progress is told at most so often, and at the end of each phase. */
const PROGRESS_MS = 100

const cancel = new AbortController()
process.once('disconnect', () => cancel.abort())
process.once('message', (job: PullJob) => void run(job))

async function run(job: PullJob): Promise<void> {
  const touch = scratchToucher(job.scratch)
  const tell = progressReporter()
  const report = (progress: PullProgress) => {
    touch()
    tell(progress)
  }
  try {
    await pull(job, { scratch: job.scratch, signal: cancel.signal, report })
    await send({ type: 'done' })
  } catch (error) {
    await send({ type: 'failed', fault: AgentError.from(error, 'MODEL_LOAD').toInfo() })
  } finally {
    // Main removes the folder too, unless it is main that has died.
    if (cancel.signal.aborted) await rm(job.scratch, { recursive: true, force: true })
    // With the channel closed nothing keeps this process alive.
    if (process.connected) process.disconnect()
  }
}

function progressReporter(): (progress: PullProgress) => void {
  let toldAt = 0
  return (progress) => {
    const now = performance.now()
    if (now - toldAt < PROGRESS_MS && progress.done !== progress.total) return
    toldAt = now
    void send({ type: 'progress', progress })
  }
}

/** Resolves when the report is on its way; without a parent there is nobody to tell. */
function send(report: PullReport): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || !process.send) return resolve()
    process.send(report, () => resolve())
  })
}
