import { stat } from 'node:fs/promises'
import type { InferenceSession } from 'onnxruntime-node'
import { AgentError } from '../core/errors.ts'
import type { Backend, Session, SessionOptions } from '../core/stages.ts'
import {
  loadRuntime,
  type Provider,
  providersFor,
  type Runtime,
  workingProviders,
  works,
} from './onnx-providers.ts'
import { onnxSession } from './onnx-session.ts'
import { plainMessage } from './plain-message.ts'

/** Only what is fatal: whatever fails is in the error that is thrown, once, and not on stderr as well. */
const SILENT = 4

/**
 * ONNX Runtime in process. `auto` takes the first of cuda, webgpu and cpu that works; a device that
 * is named is used or refused. Loading and running block the calling thread.
 */
export const onnxBackend: Backend = {
  name: 'onnx',
  async prepare() {
    await loadRuntime()
  },
  async load(file: string, options: SessionOptions): Promise<Session> {
    await checkFile(file)
    const runtime = await loadRuntime()
    let failure: Failure = { provider: 'cpu', cause: undefined }
    for (const provider of await providersFor(runtime, options.device)) {
      try {
        return await open(runtime, file, provider, options.threads)
      } catch (cause) {
        failure = { provider, cause }
      }
    }
    throw await loadError(runtime, file, failure)
  },
}

interface Failure {
  readonly provider: Provider
  readonly cause: unknown
}

/** The execution providers that work on this machine, best first. Takes a second where there is a GPU. */
export async function onnxProviders(): Promise<string[]> {
  return workingProviders(await loadRuntime())
}

async function checkFile(file: string): Promise<void> {
  const { size } = await stat(file).catch((cause) => {
    throw new AgentError('MODEL_LOAD', `cannot read the model file ${file}: ${cause.message}`, {
      cause,
    })
  })
  if (size === 0) throw new AgentError('MODEL_LOAD', `the model file ${file} is empty`)
}

async function open(
  runtime: Runtime,
  file: string,
  provider: Provider,
  threads: number,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(file, sessionOptions(provider, threads))
  try {
    return onnxSession(runtime, session, provider)
  } catch (error) {
    await session.release()
    throw error
  }
}

/** A pool that spins while it waits would starve the decoder; one thread has no pool. */
function sessionOptions(provider: Provider, threads: number): InferenceSession.SessionOptions {
  const still = { session: { intra_op: { allow_spinning: '0' } } }
  return {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: SILENT,
    ...(threads > 1 ? { extra: still } : {}),
  }
}

/** Tells a device that is not there from a model that it cannot load. */
async function loadError(
  runtime: Runtime,
  file: string,
  { provider, cause }: Failure,
): Promise<AgentError> {
  if (cause instanceof AgentError) return cause
  const reason = plainMessage(cause)
  if (provider === 'cpu' || (await works(runtime, provider))) {
    return new AgentError('MODEL_LOAD', `${provider} cannot load ${file}: ${reason}`, { cause })
  }
  const available = ['auto', ...(await workingProviders(runtime))].join(' ')
  return new AgentError(
    'BACKEND_UNAVAILABLE',
    `device '${provider}' does not work on this machine (available: ${available}): ${reason}`,
    { cause },
  )
}
