import { type ChildProcess, fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AgentError } from '../core/errors.ts'
import type { Offer, PullJob, PullReport } from './pull-messages.ts'
import { makeScratch } from './scratch.ts'
import type { PullOptions } from './shared-pull.ts'

/** What to pull, and with which program. */
export interface ChildPull {
  readonly id: string
  readonly offers: readonly Offer[]
  readonly cacheFolder: string
  readonly entry: URL
}

/** How long a cancelled child may take to clean up before it is killed. */
const GRACE_MS = 2000

/**
 * Pulls a model in a process of its own, so that downloading, hashing and converting never hold the
 * event loop. Whatever happens to that process, nothing unfinished stays in the cache.
 * @throws AgentError MODEL_LOAD, MODEL_INTEGRITY
 */
export async function pullInChild(
  { id, offers, cacheFolder, entry }: ChildPull,
  { onProgress, signal }: Required<PullOptions>,
): Promise<void> {
  const scratch = await makeScratch(cacheFolder)
  try {
    signal.throwIfAborted()
    await runChild(entry, { id, offers, scratch }, { onProgress, signal })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function runChild(
  entry: URL,
  job: PullJob,
  { onProgress, signal }: Required<PullOptions>,
): Promise<void> {
  const child = fork(fileURLToPath(entry), [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const stop = () => void end(child)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await outcome(child, job, onProgress)
  } finally {
    signal.removeEventListener('abort', stop)
    await end(child)
  }
}

function outcome(
  child: ChildProcess,
  job: PullJob,
  onProgress: Required<PullOptions>['onProgress'],
): Promise<void> {
  const said = lastWords(child)
  return new Promise((resolve, reject) => {
    const died = (how: unknown) =>
      reject(
        new AgentError('MODEL_LOAD', `pulling '${job.id}' ended early (${how}) ${said()}`.trim(), {
          retryable: true,
        }),
      )
    child.on('error', died)
    child.on('exit', (code, signal) => {
      // What it said last may still be on its way: the channel closes behind it.
      const ended = () => died(signal ?? `exit code ${code}`)
      if (child.connected) child.once('disconnect', ended)
      else ended()
    })
    child.on('message', (report: PullReport) => {
      if (report.type === 'progress') onProgress(report.progress)
      if (report.type === 'done') resolve()
      if (report.type === 'failed') reject(AgentError.fromInfo(report.fault))
    })
    child.send(job, (error) => error && died(error.message))
  })
}

/** Collects the end of what the child writes to its stderr. */
function lastWords(child: ChildProcess): () => string {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-1000)
  })
  return () => words.trim()
}

/** Ends the child: by closing the channel, which it takes as a wish to clean up and leave, else by force. */
async function end(child: ChildProcess): Promise<void> {
  if (child.connected) child.disconnect()
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const force = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await new Promise((resolve) => child.once('exit', resolve))
  clearTimeout(force)
}
