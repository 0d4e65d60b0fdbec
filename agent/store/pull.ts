import { createHash } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { AgentError } from '../core/errors.ts'
import { storeModel } from './cache.ts'
import { convertGraph } from './convert.ts'
import type { PullContext } from './providers/provider.ts'
import { openProvider } from './providers/registry.ts'
import type { Offer, PullJob } from './pull-messages.ts'

/**
 * Fetches, checks and converts a model by the first offer that works, and puts it into the cache.
 * @throws AgentError MODEL_LOAD that names what was tried, MODEL_INTEGRITY
 */
export async function pull(job: PullJob, context: PullContext): Promise<void> {
  const faults: AgentError[] = []
  for (const offer of job.offers) {
    try {
      const model = await modelOf(offer, context)
      await storeModel(model, job.scratch, offer.target)
      return
    } catch (error) {
      context.signal.throwIfAborted()
      faults.push(AgentError.from(error, 'MODEL_LOAD'))
    }
  }
  throw failed(job, faults)
}

async function modelOf(offer: Offer, context: PullContext): Promise<Uint8Array> {
  const { provider } = offer
  const read = await openProvider(offer, context)
  const { path, convert } = provider
  const content = (await read([path])).get(path) ?? new Uint8Array()
  if (provider.type === 'file') requireSha256(content, provider)
  if (!convert) return content
  const onProgress = (done: number, total: number) =>
    context.report({ phase: 'convert', done, total })
  return convertGraph({ path, graph: content, spec: convert, onProgress }, read)
}

function requireSha256(content: Uint8Array, { path, sha256 }: { path: string; sha256?: string }) {
  const found = createHash('sha256').update(content).digest('hex')
  if (sha256 === undefined || sha256 === found) return
  throw new AgentError(
    'MODEL_INTEGRITY',
    `${path} has the sha256 ${found}, its manifest pins ${sha256}`,
  )
}

function failed({ id, offers }: PullJob, faults: readonly AgentError[]): AgentError {
  const damaged = faults.find(({ code }) => code === 'MODEL_INTEGRITY')
  const retryable = !damaged && faults.some((fault) => fault.retryable)
  const reasons = faults.map(({ message }) => message).join('; ')
  const target = dirname(offers[0]?.target ?? '')
  const advice = retryable
    ? `. Without internet access, run 'heliograph models pull ${id}' on a connected machine and ` +
      `copy its folder ${basename(target)} to ${target}; behind a proxy, tell npm: ` +
      "'npm config set https-proxy <url>'"
    : ''
  return new AgentError(damaged ? 'MODEL_INTEGRITY' : 'MODEL_LOAD', `${reasons}${advice}`, {
    cause: faults[0],
    retryable,
  })
}
