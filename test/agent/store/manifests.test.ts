import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { catalog, DEFAULT_MODEL } from '../../../agent/store/catalog.ts'
import { check } from '../../../schemas/decode.ts'
import { ModelManifest } from '../../../schemas/manifest.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { installManifest, manifestOf, tinyImport } from './tiny-model.ts'

let opened: OpenStore
beforeEach(async () => {
  opened = await openStore()
})

const provider = { type: 'file', path: 'model.onnx' } as const

async function write(name: string, file: string, text: string): Promise<string> {
  const folder = join(opened.modelsFolder, name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, file), text)
  return join(folder, file)
}

describe('a model manifest', () => {
  it('may be YAML', async () => {
    await write('mine', 'manifest.yaml', JSON.stringify(manifestOf('mine', provider)))
    expect(await opened.store.find('mine')).toEqual(manifestOf('mine', provider))
  })

  it.each([
    ['a wrong field', { title: 7 }, '/title'],
    ['an unknown task', { task: 'guessing' }, '/task'],
    ['no provider', { providers: [] }, '/providers'],
    [
      'a score above 1',
      { thresholds: { minScore: 2, iouThreshold: 0, maxItems: 1 } },
      '/thresholds/minScore',
    ],
    [
      'no row to keep',
      {
        providers: [{ ...provider, convert: { ...tinyImport, best: { rows: 0, by: 'sum' } } }],
      },
      '/providers/0/convert/best/rows',
    ],
    ['a path that leads out', { providers: [{ type: 'file', path: '../x' }] }, '/providers/0/path'],
    ['an absolute path', { providers: [{ type: 'file', path: '/x' }] }, '/providers/0/path'],
  ])('with %s is refused, with the file and the field', async (_, fields, field) => {
    const manifest = { ...manifestOf('mine', provider), ...fields }
    const file = await write('mine', 'manifest.json', JSON.stringify(manifest))
    await expect(opened.store.list()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`${file}.*${field}`)),
    })
  })

  it.each([
    ['manifest.json', '{'],
    ['manifest.yaml', 'a: [1'],
  ])('that cannot be read as %s is refused by name', async (name, text) => {
    const file = await write('mine', name, text)
    await expect(opened.store.list()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(file),
    })
  })

  it('with unknown fields is used, with one warning', async () => {
    const manifest = { ...manifestOf('mine', provider), colour: 'green' }
    await write('mine', 'manifest.json', JSON.stringify(manifest))
    await opened.store.list()
    await opened.store.list()
    expect(opened.warnings).toHaveLength(1)
    expect(opened.warnings[0]).toContain('/colour')
  })

  it('must not describe a model that another one describes', async () => {
    await installManifest(opened.modelsFolder, manifestOf('mine', provider))
    await write('copy', 'manifest.json', JSON.stringify(manifestOf('mine', provider)))
    await expect(opened.store.list()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining("'mine'"),
    })
  })

  it('is not looked for in folders that do not exist, nor in files', async () => {
    expect(await opened.store.list()).toHaveLength(catalog.length)
    await mkdir(opened.modelsFolder, { recursive: true })
    await writeFile(join(opened.modelsFolder, 'README'), 'models lie here')
    expect(await opened.store.list()).toHaveLength(catalog.length)
  })
})

describe('the built-in catalog', () => {
  it.each(catalog)('describes $id as the schema wants it', (manifest) => {
    expect(check(ModelManifest, manifest)).toMatchObject({ ok: true, unknown: [] })
  })

  it("numbers the default model's classes as COCO does, less one", () => {
    const labels = catalog.find(({ id }) => id === DEFAULT_MODEL)?.labels ?? []
    expect(labels).toHaveLength(90)
    expect(labels.filter((label) => label !== null)).toHaveLength(80)
    expect([labels[0], labels[17], labels[89]]).toEqual(['person', 'dog', 'toothbrush'])
    expect([12, 26, 29, 30, 45, 66, 68, 69, 71, 83].map((id) => labels[id - 1])).toEqual(
      new Array(10).fill(null),
    )
  })
})
