import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PullProgress } from '../../../agent/store/pull-messages.ts'
import type { ModelManifest } from '../../../schemas/manifest.ts'
import { type LocalRegistry, localRegistry } from './local-registry.ts'
import { type OpenStore, openStore, useRegistry } from './open-store.ts'
import { installManifest, manifestOf, packed, packTinyModel, tinyImport } from './tiny-model.ts'

const PADDING = 3_000_000

let registry: LocalRegistry
let opened: OpenStore

beforeEach(async () => {
  registry = await localRegistry()
  await useRegistry(registry.url)
  opened = await openStore()
})
afterEach(() => registry.close())

function fromNpm(integrity: string, path = 'model.json'): ModelManifest {
  return manifestOf('tiny', {
    type: 'npm',
    package: 'tiny-model',
    version: '1.0.0',
    integrity,
    path,
    convert: tinyImport,
  })
}

/** What lies in the cache: models by id, and the folders of unfinished pulls. */
async function cacheContent() {
  const models = await readdir(join(opened.cacheFolder, 'tiny')).catch(() => [])
  const unfinished = await readdir(join(opened.cacheFolder, '.pulls')).catch(() => [])
  return { models: models.length, unfinished: unfinished.length }
}

describe('pulling a model from npm', () => {
  it('downloads, checks, converts and keeps it, and tells how far it is', async () => {
    await useRegistry(registry.url, { wholly: true })
    const { bytes, integrity } = await packTinyModel('tiny-model', PADDING)
    registry.list('tiny-model', { bytes, integrity })
    await installManifest(opened.modelsFolder, fromNpm(integrity))
    const progress: PullProgress[] = []
    const model = await opened.store.ensure('tiny', { onProgress: (one) => progress.push(one) })

    const session = await InferenceSession.create(model.file)
    const { sum } = await session.run({ image: new Tensor('float32', [10, 20], [1, 2]) })
    expect(Array.from(sum?.data as Float32Array)).toEqual([11, 22])
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual([
      'download',
      'verify',
      'unpack',
      'convert',
    ])
    expect(progress.filter(({ done, total }) => done === total).length).toBeGreaterThanOrEqual(4)
    expect(progress.find(({ phase }) => phase === 'download')?.total).toBe(bytes.length)
    expect(await cacheContent()).toEqual({ models: 1, unfinished: 0 })
  })

  it('asks the registry once, however many want the model, now or later', async () => {
    const tarball = await packTinyModel('tiny-model')
    registry.list('tiny-model', tarball)
    await installManifest(opened.modelsFolder, fromNpm(tarball.integrity))
    const models = await Promise.all([1, 2, 3].map(() => opened.store.ensure('tiny')))
    const later = await openStore(opened)
    models.push(await later.store.ensure('tiny'))
    expect(new Set(models.map(({ file }) => file)).size).toBe(1)
    expect(registry.requests).toEqual(['/tiny-model/-/tiny-model-1.0.0.tgz'])
  })

  it('lets two processes pull at once', async () => {
    const tarball = await packTinyModel('tiny-model')
    registry.list('tiny-model', tarball)
    await installManifest(opened.modelsFolder, fromNpm(tarball.integrity))
    const other = await openStore(opened)
    const [a, b] = await Promise.all([opened.store.ensure('tiny'), other.store.ensure('tiny')])
    expect(a.sha256).toBe(b.sha256)
    expect(registry.requests).toHaveLength(2)
    expect(await cacheContent()).toEqual({ models: 1, unfinished: 0 })
  })

  it('has npm fetch what the registry does not hand out directly', async () => {
    const tarball = await packTinyModel('tiny-model')
    registry.list('tiny-model', { ...tarball, status: 401 })
    await installManifest(opened.modelsFolder, fromNpm(tarball.integrity))
    await opened.store.ensure('tiny')
    expect(registry.requests.at(-1)).toBe('/tiny-model/mirror/tiny-model-1.0.0.tgz')
  })

  it('has npm fetch it first where npm uses a proxy', async () => {
    const tarball = await packTinyModel('tiny-model')
    registry.list('tiny-model', tarball)
    await useRegistry(registry.url, { wholly: true })
    process.env.npm_config_https_proxy = 'http://127.0.0.1:9/'
    await installManifest(opened.modelsFolder, fromNpm(tarball.integrity))
    await opened.store.ensure('tiny')
    expect(registry.requests).not.toContain('/tiny-model/-/tiny-model-1.0.0.tgz')
    expect(registry.requests.at(-1)).toBe('/tiny-model/mirror/tiny-model-1.0.0.tgz')
  })

  it('refuses a package with another checksum', async () => {
    const { bytes, integrity } = await packTinyModel('tiny-model')
    const other = packed(Buffer.from('another package'))
    registry.list('tiny-model', { bytes, integrity })
    await installManifest(opened.modelsFolder, fromNpm(other.integrity))
    await expect(opened.store.ensure('tiny')).rejects.toMatchObject({
      code: 'MODEL_INTEGRITY',
      retryable: false,
      message: expect.stringContaining(other.integrity),
    })
    expect(await cacheContent()).toEqual({ models: 0, unfinished: 0 })
  })

  it('refuses a damaged archive', async () => {
    const whole = await packTinyModel('tiny-model', PADDING)
    const half = packed(whole.bytes.subarray(0, whole.bytes.length / 2))
    registry.list('tiny-model', half)
    await installManifest(opened.modelsFolder, fromNpm(half.integrity))
    await expect(opened.store.ensure('tiny')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining('cannot unpack the package'),
    })
    expect(await cacheContent()).toEqual({ models: 0, unfinished: 0 })
  })

  it('says which file a package lacks', async () => {
    const tarball = await packTinyModel('tiny-model')
    registry.list('tiny-model', tarball)
    await installManifest(opened.modelsFolder, fromNpm(tarball.integrity, 'other/model.json'))
    await expect(opened.store.ensure('tiny')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining('other/model.json'),
    })
  })

  it('says what it tried and what to do when there is no network', async () => {
    const { integrity } = await packTinyModel('tiny-model')
    await installManifest(opened.modelsFolder, fromNpm(integrity))
    await registry.close()
    const failure = await opened.store.ensure('tiny').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'MODEL_LOAD', retryable: true })
    const { message } = failure as Error
    expect(message).toContain(`${registry.url}tiny-model/-/tiny-model-1.0.0.tgz`)
    expect(message).toMatch(/npm pack: .*ECONNREFUSED/)
    expect(message).toContain('heliograph models pull tiny')
    expect(message).toContain(join(opened.cacheFolder, 'tiny'))
    registry = await localRegistry()
  })

  it('tries the next provider', async () => {
    const tarball = await packTinyModel('tiny-model')
    registry.list('tiny-model', tarball)
    const [good] = fromNpm(tarball.integrity).providers
    if (good?.type !== 'npm') throw new Error('an npm provider')
    const providers = [{ ...good, package: 'no-such-model' }, good]
    await installManifest(opened.modelsFolder, manifestOf('tiny', ...providers))
    await opened.store.ensure('tiny')
    expect(await cacheContent()).toEqual({ models: 1, unfinished: 0 })
  })
})
