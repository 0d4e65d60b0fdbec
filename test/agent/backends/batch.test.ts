import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { onnxBackend } from '../../../agent/backends/onnx.ts'
import type { Session, Tensor } from '../../../agent/core/stages.ts'
import { identityFile, onnxFile } from './onnx-files.ts'

let folder: string
const sessions: Session[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-batch-'))
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
})

async function load(bytes: Uint8Array): Promise<Session> {
  const file = join(folder, 'model.onnx')
  await writeFile(file, bytes)
  const session = await onnxBackend.load(file, { device: 'cpu', threads: 1 })
  sessions.push(session)
  return session
}

const floats = (...values: number[]): Tensor => ({
  dtype: 'float32',
  dims: [values.length],
  data: Float32Array.from(values),
})

it('runs samples one by one or several at once, and gives each its own outputs', async () => {
  const session = await load(identityFile('float32', ['n', 2]))
  expect(session.hasBatchAxis).toBe(true)
  const sample = (...values: number[]): Tensor => ({ ...floats(...values), dims: [1, 2] })
  const [a, b, c] = [sample(1, 2), sample(3, 4), sample(5, 6)]
  const outputs = (tensors: readonly Tensor[]) => tensors.map((y) => ({ y }))
  const inputs = (tensors: readonly Tensor[]) => tensors.map((x) => ({ x }))
  expect(await session.runBatch(inputs([a, b, c]))).toEqual(outputs([a, b, c]))
  expect(await session.runBatch(inputs([c, a]))).toEqual(outputs([c, a]))
  expect(await session.run({ x: b })).toEqual({ y: b })
  const shared = { ...c, data: new Float32Array(new SharedArrayBuffer(8)) }
  shared.data.set([5, 6])
  expect(await session.runBatch(inputs([shared, b]))).toEqual(outputs([c, b]))
  expect(await session.run({ x: shared })).toEqual({ y: c })
})

it('refuses to run samples at once that are not alike', async () => {
  const session = await load(identityFile('float32', ['n', 'm']))
  const wide = { ...floats(1, 2), dims: [1, 2] }
  const narrow = { ...floats(1), dims: [1, 1] }
  const running = session.runBatch([{ x: wide }, { x: narrow }])
  await expect(running).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    message: expect.stringContaining('given are [1,2] [1,1]'),
  })
  const double = { ...floats(1, 2), dims: [2, 1] }
  await expect(session.runBatch([{ x: double }, { x: double }])).rejects.toThrow(
    'given are [2,1] [2,1]',
  )
})

it('refuses to run samples at once when the graph mixes them', async () => {
  const session = await load(
    onnxFile({
      node: [{ opType: 'Reshape', input: ['x', 'flat'], output: ['y'] }],
      initializer: [{ name: 'flat', dims: [1], dataType: 7, int64Data: [-1] }],
      inputs: [{ name: 'x', element: 'float32', dims: ['n', 2] }],
      outputs: [{ name: 'y', element: 'float32', dims: ['m'] }],
    }),
  )
  const x = { ...floats(1, 2), dims: [1, 2] }
  await expect(session.runBatch([{ x }, { x }])).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    message: "the output 'y' is float32 [4] for 2 samples: the model takes one at a time",
  })
})

it.each([
  { name: 'a fixed input', input: [1, 2], output: ['n', 2] },
  { name: 'a fixed output', input: ['n', 2], output: [1, 2] },
  { name: 'an input without axes', input: [], output: ['n'] },
])('has no batch axis with $name', async ({ input, output }) => {
  const session = await load(
    onnxFile({
      node: [{ opType: 'Reshape', input: ['x', 'shape'], output: ['y'] }],
      initializer: [
        { name: 'shape', dims: [output.length], dataType: 7, int64Data: output.map(() => 1) },
      ],
      inputs: [{ name: 'x', element: 'float32', dims: input }],
      outputs: [{ name: 'y', element: 'float32', dims: output }],
    }),
  )
  expect(session.hasBatchAxis).toBe(false)
})
