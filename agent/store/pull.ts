import { createHash } from 'node:crypto'
import { basename, dirname, posix } from 'node:path'
import type { TfjsImport } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import { storeModel } from './cache.ts'
import { isInside } from './inside.ts'
import type { PullContext, ReadFiles } from './providers/provider.ts'
import { openProvider } from './providers/registry.ts'
import type { Offer, PullJob } from './pull-messages.ts'
import { parseGraphModel } from './tfjs/graph.ts'
import { importGraph } from './tfjs/import-graph.ts'
import { readWeights } from './tfjs/weights.ts'

/**
 * Fetches, checks and converts a model by the first offer that works, and puts it into the cache.
 * @throws AgentError MODEL_LOAD that names what was tried, MODEL_INTEGRITY
 */
export async function pull(job: PullJob, context: PullContext): Promise<void> {
  const faults: AgentError[] = []
  for (const offer of job.offers) {
    try {
      await storeModel(await modelOf(offer, context), job.scratch, offer.target)
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
  const main = await readOne(read, provider.path)
  if (provider.type === 'file') requireSha256(main, provider)
  const { path, convert } = provider
  return convert ? converted(main, read, { path, convert }, context) : main
}

async function readOne(read: ReadFiles, path: string): Promise<Uint8Array> {
  return (await read([path])).get(path) ?? new Uint8Array()
}

function requireSha256(content: Uint8Array, { path, sha256 }: { path: string; sha256?: string }) {
  const found = createHash('sha256').update(content).digest('hex')
  if (sha256 === undefined || sha256 === found) return
  throw new AgentError(
    'MODEL_INTEGRITY',
    `${path} has the sha256 ${found}, its manifest pins ${sha256}`,
  )
}

/** `graph` is the content of the `model.json` at `path`; the weight files lie beside it. */
async function converted(
  graph: Uint8Array,
  read: ReadFiles,
  { path, convert }: { readonly path: string; readonly convert: TfjsImport },
  context: PullContext,
): Promise<Uint8Array> {
  const model = parseGraphModel(new TextDecoder().decode(graph))
  const paths = model.groups.flatMap((group) => group.paths)
  const outside = paths.find((one) => !isInside(one))
  if (outside !== undefined) {
    throw new AgentError('MODEL_LOAD', `${path} names weights outside its folder: '${outside}'`)
  }
  const located = (name: string) => posix.join(posix.dirname(path), name)
  const files = await read(paths.map(located))
  return importGraph({
    model,
    weights: readWeights(model.groups, (name) => files.get(located(name)) ?? new Uint8Array()),
    spec: convert,
    onProgress: (done, total) => context.report({ phase: 'convert', done, total }),
  })
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
