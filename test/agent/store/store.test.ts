import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_MODEL } from '../../../agent/store/catalog.ts'
import type { TfjsImport } from '../../../schemas/manifest.ts'
import { type OpenStore, openStore } from './open-store.ts'
import {
  installManifest,
  manifestOf,
  scratchFolder,
  tinyImport,
  writeTinyModel,
} from './tiny-model.ts'

const content = Buffer.from('the bytes of a model')
const sha256 = createHash('sha256').update(content).digest('hex')

let opened: OpenStore
beforeEach(async () => {
  opened = await openStore()
})

/** Installs a model whose file is used where it lies. */
async function installFile(pinned?: string, path = 'model.onnx'): Promise<string> {
  const provider = { type: 'file', path, ...(pinned !== undefined && { sha256: pinned }) } as const
  const folder = await installManifest(opened.modelsFolder, manifestOf('mine', provider))
  await writeFile(join(folder, 'model.onnx'), content)
  return folder
}

/** Installs a model that is converted from a graph beside its manifest. */
async function installGraph(pinned?: string): Promise<string> {
  const pin = pinned !== undefined && { sha256: pinned }
  const provider = { type: 'file', path: 'model.json', convert: tinyImport, ...pin } as const
  const folder = await installManifest(opened.modelsFolder, manifestOf('mine', provider))
  return writeTinyModel(folder)
}

/** What the converted model says of the first side of its input. */
async function firstSide({ store }: OpenStore): Promise<number | string> {
  const { graph } = onnxProto.onnx.ModelProto.decode(
    await readFile((await store.ensure('mine')).file),
  )
  const { dimParam, dimValue } = graph?.input?.[0]?.type?.tensorType?.shape?.dim?.[0] ?? {}
  return dimParam || Number(dimValue)
}

describe('the models of a store', () => {
  it('are the built-in ones and those of the folders, by id', async () => {
    await installFile()
    const models = await opened.store.list()
    expect(models.map(({ manifest, state, bytes }) => [manifest.id, state, bytes])).toEqual([
      ['mine', 'ready', content.length],
      [DEFAULT_MODEL, 'absent', undefined],
    ])
  })

  it('are found by id, and an unknown id is answered with the known ones', async () => {
    await installFile()
    expect((await opened.store.find('mine')).title).toBe('A model for tests')
    for (const ask of [opened.store.find, opened.store.ensure]) {
      await expect(ask('yolo')).rejects.toMatchObject({
        code: 'MODEL_UNKNOWN',
        message: `no model 'yolo' (known: mine ${DEFAULT_MODEL})`,
      })
    }
  })

  it('are replaced by a folder that describes a built-in one, with one warning', async () => {
    const provider = { type: 'file', path: 'model.onnx' } as const
    await installManifest(opened.modelsFolder, manifestOf(DEFAULT_MODEL, provider))
    await opened.store.list()
    expect((await opened.store.find(DEFAULT_MODEL)).title).toBe('A model for tests')
    expect(opened.warnings).toHaveLength(1)
    expect(opened.warnings[0]).toContain(DEFAULT_MODEL)
  })
})

describe('a model file beside its manifest', () => {
  it('is used where it lies', async () => {
    const folder = await installFile(sha256)
    const model = await opened.store.ensure('mine')
    expect(model).toMatchObject({ file: join(folder, 'model.onnx'), sha256 })
    expect(await readdir(dirname(opened.cacheFolder))).toEqual(['models'])
  })

  it('is refused when it is not the pinned one, at once after it has changed', async () => {
    const folder = await installFile(sha256)
    await opened.store.ensure('mine')
    await writeFile(join(folder, 'model.onnx'), 'other bytes')
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({
      code: 'MODEL_INTEGRITY',
      message: expect.stringContaining(sha256),
    })
  })

  it('is refused when it is a link that leads elsewhere', async () => {
    const folder = await installFile()
    const outside = join(await scratchFolder(), 'secret')
    await writeFile(outside, content)
    await rm(join(folder, 'model.onnx'))
    await symlink(outside, join(folder, 'model.onnx'))
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining('leads outside'),
    })
  })

  it('is missed by name', async () => {
    await installFile(undefined, 'other.onnx')
    expect((await opened.store.list())[0]).toMatchObject({ state: 'absent' })
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining('other.onnx'),
    })
  })
})

describe('a graph beside its manifest', () => {
  it('is converted once, and again when it is replaced', async () => {
    const folder = await installGraph()
    const first = await opened.store.ensure('mine')
    expect(await opened.store.ensure('mine')).toEqual(first)
    await writeTinyModel(folder, [3, 4])
    const later = Date.now() / 1000 + 60
    await utimes(join(folder, 'model.json'), later, later)
    const second = await opened.store.ensure('mine')
    expect(second.file).not.toBe(first.file)
    expect(second.sha256).not.toBe(first.sha256)
  })

  it('has a batch axis where batches are wanted and its manifest says that it can', async () => {
    const batching = await openStore({ ...opened, batched: true })
    await installGraph()
    expect(await firstSide(batching)).toBe(1)
    const input = { ...tinyImport.inputs.x, batch: true } as TfjsImport['inputs'][string]
    const convert = { ...tinyImport, inputs: { x: input } }
    await installManifest(
      opened.modelsFolder,
      manifestOf('mine', { type: 'file', path: 'model.json', convert }),
    )
    expect([await firstSide(batching), await firstSide(opened)]).toEqual(['d0', 1])
  })

  it('is converted anew when its manifest asks for the best rows only', async () => {
    await installGraph()
    const whole = await opened.store.ensure('mine')
    const convert = { ...tinyImport, best: { rows: 1, by: 'sum' } }
    const provider = { type: 'file', path: 'model.json', convert } as const
    await installManifest(opened.modelsFolder, manifestOf('mine', provider))
    expect(
      (await opened.store.list()).find(({ manifest }) => manifest.id === 'mine'),
    ).toMatchObject({
      state: 'absent',
    })
    const best = await opened.store.ensure('mine')
    const session = await InferenceSession.create(best.file)
    const { sum } = await session.run({ image: new Tensor('float32', [1, 5], [1, 2]) })
    expect(sum).toMatchObject({ dims: [1, 1], data: Float32Array.of(7) })
    await session.release()
    expect(best.file).not.toBe(whole.file)
  })

  it('is refused when it is not the pinned one', async () => {
    await installGraph('0'.repeat(64))
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({ code: 'MODEL_INTEGRITY' })
  })

  it('is refused with both sizes when its weights are cut off', async () => {
    const folder = await installGraph()
    await writeFile(join(folder, 'shard1'), Buffer.alloc(7))
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringMatching(/shard1 hold 7 bytes, model.json declares 8/),
    })
  })
})

describe('a cached model', () => {
  it('is refused when somebody has changed it', async () => {
    await installGraph()
    const { file } = await opened.store.ensure('mine')
    const bytes = await readFile(file)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await writeFile(file, bytes)
    const later = Date.now() / 1000 + 60
    await utimes(file, later, later)
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({
      code: 'MODEL_INTEGRITY',
      message: expect.stringContaining(dirname(file)),
    })
  })

  it('stays valid when it is copied to another machine', async () => {
    await installGraph()
    const { file, sha256: before } = await opened.store.ensure('mine')
    await utimes(file, 1, 1)
    const other = await openStore(opened)
    expect(await other.store.ensure('mine')).toMatchObject({ file, sha256: before })
    const meta = JSON.parse(await readFile(join(dirname(file), 'meta.json'), 'utf8'))
    expect(meta.mtimeMs).toBe(1000)
  })

  it('is made again where a killed computer has left half of it', async () => {
    await installGraph()
    const { file, sha256: before } = await opened.store.ensure('mine')
    await writeFile(join(dirname(file), 'meta.json'), '')
    expect((await opened.store.list())[0]).toMatchObject({ state: 'absent' })
    expect((await opened.store.ensure('mine')).sha256).toBe(before)
  })

  it('cannot be made where the cache folder is not one', async () => {
    await installGraph()
    await mkdir(dirname(opened.cacheFolder), { recursive: true })
    await writeFile(opened.cacheFolder, 'a file')
    await expect(opened.store.ensure('mine')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining(opened.cacheFolder),
    })
  })
})
