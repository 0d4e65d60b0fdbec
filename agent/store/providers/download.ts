import { open } from 'node:fs/promises'
import { AgentError } from '../../core/errors.ts'
import { redact } from '../../core/redact.ts'
import { MAX_MODEL_BYTES } from './limits.ts'
import type { PullContext } from './provider.ts'

/** A server that sends nothing for so long is given up. */
const STALL_MS = 30_000

/**
 * Fetches `url` into `file`.
 * @throws AgentError MODEL_LOAD, retryable where the network or the server failed
 */
export async function download(url: string, file: string, context: PullContext): Promise<void> {
  const stall = new AbortController()
  const timer = setTimeout(() => stall.abort(new Error(`no data for ${STALL_MS} ms`)), STALL_MS)
  const signal = AbortSignal.any([context.signal, stall.signal])
  try {
    const response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } })
    if (!response.ok || !response.body) throw refused(response)
    await save(response, file, { ...context, signal }, () => timer.refresh())
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof AgentError) throw error
    throw new AgentError('MODEL_LOAD', `${redact(url)}: ${reasonOf(error)}`, {
      cause: error,
      retryable: true,
    })
  } finally {
    clearTimeout(timer)
  }
}

async function save(
  response: Response,
  file: string,
  context: PullContext,
  onData: () => void,
): Promise<void> {
  const total = Number(response.headers.get('content-length')) || undefined
  const target = await open(file, 'w')
  let done = 0
  try {
    for await (const chunk of response.body ?? []) {
      onData()
      done += chunk.length
      if (done > MAX_MODEL_BYTES) throw tooLarge(response.url)
      await target.writeFile(chunk)
      context.report({ phase: 'download', done, ...(total !== undefined && { total }) })
    }
  } finally {
    await target.close()
  }
}

function refused({ status, url }: Response): AgentError {
  return new AgentError('MODEL_LOAD', `${redact(url)}: HTTP ${status}`, {
    retryable: status >= 500 || status === 429,
  })
}

function tooLarge(url: string): AgentError {
  return new AgentError('MODEL_LOAD', `${redact(url)}: more than ${MAX_MODEL_BYTES} bytes`)
}

/** fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error
    ? cause.message || (cause as NodeJS.ErrnoException).code || message
    : message
}
