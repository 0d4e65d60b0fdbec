import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import type { ModelManifest, ModelProvider, TfjsImport } from '../../../schemas/manifest.ts'

/** y = x + weight, as a TensorFlow.js graph model. */
export const tinyGraph = {
  format: 'graph-model',
  modelTopology: {
    node: [
      { name: 'x', op: 'Placeholder', attr: { dtype: { type: 1 } } },
      { name: 'weight', op: 'Const', attr: { dtype: { type: 1 } } },
      { name: 'y', op: 'AddV2', input: ['x', 'weight'], attr: { T: { type: 1 } } },
    ],
  },
  weightsManifest: [
    { paths: ['shard1'], weights: [{ name: 'weight', shape: [2], dtype: 'float32' }] },
  ],
}

export const tinyImport: TfjsImport = {
  from: 'tfjs',
  inputs: { x: { rename: 'image', dims: [1, 2], dtype: 'float32' } },
  outputs: { y: 'sum' },
}

/** A new empty folder. */
export function scratchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'heliograph-store-'))
}

/** Writes the tiny model's files into `folder`; returns it. */
export async function writeTinyModel(folder: string, weights: readonly number[] = [1, 2]) {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'model.json'), JSON.stringify(tinyGraph))
  await writeFile(join(folder, 'shard1'), new Uint8Array(Float32Array.from(weights).buffer))
  return folder
}

/** A manifest of the model `id` with these providers. */
export function manifestOf(id: string, ...providers: ModelProvider[]): ModelManifest {
  return {
    id,
    title: 'A model for tests',
    task: 'detection',
    family: 'ssd',
    licence: 'Apache-2.0',
    origin: 'made by this test',
    providers,
    input: {
      name: 'image',
      width: 1,
      height: 1,
      dtype: 'float32',
      layout: 'nhwc',
      colour: 'rgb',
      fit: 'stretch',
    },
    outputs: { sum: 'sum' },
    labels: ['thing'],
    thresholds: { minScore: 0.5, iouThreshold: 0.5, maxItems: 10 },
  }
}

/** Writes a manifest as a model of its own into `folder`. */
export async function installManifest(folder: string, manifest: ModelManifest): Promise<string> {
  const own = join(folder, manifest.id)
  await mkdir(own, { recursive: true })
  await writeFile(join(own, 'manifest.json'), JSON.stringify(manifest))
  return own
}

/** Bytes of a package's tarball, and the integrity that npm would note for them. */
export interface Packed {
  readonly bytes: Buffer
  readonly integrity: string
}

/** Packs an npm package with the tiny model; `padding` bytes make it slow to send. */
export async function packTinyModel(name: string, padding = 0): Promise<Packed> {
  const folder = join(await scratchFolder(), 'package')
  await writeTinyModel(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0' }))
  // Bytes that do not compress: gzip would make nothing of zeros.
  const noise = Uint32Array.from({ length: padding / 4 }, (_, index) => (index * 2654435761) >>> 0)
  await writeFile(join(folder, 'padding'), noise)
  const file = join(folder, '..', 'package.tgz')
  await create({ gzip: true, file, cwd: join(folder, '..') }, ['package'])
  return packed(await readFile(file))
}

/** These bytes with their integrity. */
export function packed(bytes: Buffer): Packed {
  return { bytes, integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}` }
}
