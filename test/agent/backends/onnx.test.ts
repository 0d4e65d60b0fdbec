import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { onnxBackend, onnxProviders } from '../../../agent/backends/onnx.ts'
import type { Session, SessionOptions, Tensor } from '../../../agent/core/stages.ts'
import { externalDataFile, identityFile, onnxFile } from './onnx-files.ts'

const cpu: SessionOptions = { device: 'cpu', threads: 1 }
let folder: string
const sessions: Session[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-onnx-'))
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
})

async function fileOf(bytes: Uint8Array | string): Promise<string> {
  const file = join(folder, 'model.onnx')
  await writeFile(file, bytes)
  return file
}

async function load(bytes: Uint8Array | string, options = cpu): Promise<Session> {
  const session = await onnxBackend.load(await fileOf(bytes), options)
  sessions.push(session)
  return session
}

const floats = (...values: number[]): Tensor => ({
  dtype: 'float32',
  dims: [values.length],
  data: Float32Array.from(values),
})

describe('a session', () => {
  it.each([
    { dtype: 'float32', data: Float32Array.of(1.5, -2) },
    { dtype: 'uint8', data: Uint8Array.of(0, 255) },
    { dtype: 'int8', data: Int8Array.of(-128, 127) },
    { dtype: 'int32', data: Int32Array.of(-(2 ** 31), 7) },
    { dtype: 'int64', data: BigInt64Array.of(-(2n ** 63n), 7n) },
    { dtype: 'bool', data: Uint8Array.of(0, 1) },
  ] as const)('carries $dtype in and out', async ({ dtype, data }) => {
    const session = await load(identityFile(dtype, [2]))
    const { y } = await session.run({ x: { dtype, dims: [2], data } })
    expect(y).toEqual({ dtype, dims: [2], data })
  })

  it('carries float16 in and out, or says under which Node.js it can', async () => {
    const data = Uint16Array.of(0x3c00, 0xc000)
    const loading = load(identityFile('float16', [2]))
    if ('Float16Array' in globalThis) {
      await expect(loading).rejects.toMatchObject({ code: 'MODEL_LOAD' })
      return
    }
    const { y } = await (await loading).run({ x: { dtype: 'float16', dims: [2], data } })
    expect(y).toEqual({ dtype: 'float16', dims: [2], data })
  })

  it('computes', async () => {
    const x = { name: 'x', element: 'float32', dims: ['n'] } as const
    const file = onnxFile({
      node: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }],
      inputs: [x],
      outputs: [{ ...x, name: 'y' }],
    })
    const session = await load(file, { device: 'cpu', threads: 2 })
    expect(session.provider).toBe('cpu')
    expect((await session.run({ x: floats(1, 2, 3) })).y).toEqual(floats(2, 4, 6))
    expect((await session.run({ x: floats(8) })).y).toEqual(floats(16))
  })

  it('leaves the outputs of a run to the caller, to keep or to move', async () => {
    const session = await load(identityFile('float32', [1]))
    const { y: first } = await session.run({ x: floats(1) })
    const { y: second } = await session.run({ x: floats(2) })
    expect([first, second]).toEqual([floats(1), floats(2)])
    const buffers = first ? [first.data.buffer as ArrayBuffer] : []
    expect(structuredClone(first, { transfer: buffers })).toEqual(floats(1))
  })

  it('does not change its inputs, which may be used again', async () => {
    const session = await load(identityFile('float32', [2]))
    const x = floats(3, 4)
    await session.run({ x })
    await session.run({ x })
    expect(x).toEqual(floats(3, 4))
  })

  it('reads inputs in shared memory, each time anew', async () => {
    const session = await load(identityFile('float32', [2]))
    const data = new Float32Array(new SharedArrayBuffer(12), 4, 2)
    const outputs = []
    for (const values of [
      [1, 2],
      [3, 4],
    ]) {
      data.set(values)
      outputs.push((await session.run({ x: { dtype: 'float32', dims: [2], data } })).y)
    }
    expect(outputs).toEqual([floats(1, 2), floats(3, 4)])
  })

  it.each([
    { name: 'another name', inputs: { z: floats(1, 2) }, says: 'given are z' },
    { name: 'nothing', inputs: {}, says: 'given are none' },
    {
      name: 'another type',
      inputs: { x: { dtype: 'uint8', dims: [2], data: new Uint8Array(2) } as const },
      says: 'given is uint8 [2]',
    },
    { name: 'another size', inputs: { x: floats(1, 2, 3) }, says: 'given is float32 [3]' },
    {
      name: 'another rank',
      inputs: { x: { ...floats(1, 2), dims: [1, 2] } },
      says: 'given is float32 [1,2]',
    },
    {
      name: 'a buffer that was moved away',
      inputs: { x: { ...floats(1, 2), data: new Float32Array(0) } },
      says: 'given are 0 values for [2]',
    },
  ])('refuses $name as input, saying what it takes', async ({ inputs, says }) => {
    const session = await load(identityFile('float32', [2]))
    await expect(session.run(inputs)).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: `the model takes 'x' as float32 [2]; ${says}`,
    })
  })

  it('fails a run that the graph cannot carry out, and goes on', async () => {
    const session = await load(
      onnxFile({
        node: [{ opType: 'Reshape', input: ['x', 'shape'], output: ['y'] }],
        inputs: [
          { name: 'x', element: 'float32', dims: [2] },
          { name: 'shape', element: 'int64', dims: [1] },
        ],
        outputs: [{ name: 'y', element: 'float32', dims: ['n'] }],
      }),
    )
    const run = (length: bigint) =>
      session.run({
        x: floats(1, 2),
        shape: { dtype: 'int64', dims: [1], data: BigInt64Array.of(length) },
      })
    await expect(run(7n)).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringMatching(/^the run on cpu failed: .*[Rr]eshape/),
    })
    expect((await run(2n)).y).toEqual(floats(1, 2))
  })

  it('can be closed twice, and then runs no more', async () => {
    const session = await load(identityFile('float32', [1]))
    await session.close()
    await session.close()
    await expect(session.run({ x: floats(1) })).rejects.toMatchObject({ code: 'INFERENCE_FAILED' })
  })
})

describe('loading', () => {
  const whole = identityFile('float32', [1])
  it.each([
    { name: 'an empty file', bytes: new Uint8Array(), says: 'is empty' },
    { name: 'text', bytes: 'this is no model\n', says: 'Protobuf parsing failed' },
    { name: 'a truncated file', bytes: whole.subarray(0, 40), says: 'parsing failed' },
    { name: 'zeros', bytes: new Uint8Array(5000), says: 'parsing failed' },
    { name: 'external data that is not there', bytes: externalDataFile('w.bin'), says: 'w.bin' },
    {
      name: 'external data outside the folder',
      bytes: externalDataFile('../../../../../../etc/hostname'),
      says: 'escapes',
    },
    {
      name: 'an operator that does not exist',
      bytes: onnxFile({
        node: [{ opType: 'Nonsense', input: ['x'], output: ['y'] }],
        inputs: [{ name: 'x', element: 'float32', dims: [1] }],
        outputs: [{ name: 'y', element: 'float32', dims: [1] }],
      }),
      says: 'Nonsense',
    },
    {
      name: 'a type that the agent does not know',
      bytes: identityFile('string', [1]),
      says: "'x' is string; supported are tensors of float32",
    },
  ])('refuses $name', async ({ bytes, says }) => {
    const file = await fileOf(bytes)
    const error = await onnxBackend.load(file, cpu).catch((cause) => cause)
    expect(error).toMatchObject({ code: 'MODEL_LOAD', message: expect.stringContaining(says) })
    expect(error.message).not.toContain('onnxruntime_src')
  })

  it('refuses a file that is not there, and a folder', async () => {
    const missing = join(folder, 'missing.onnx')
    await expect(onnxBackend.load(missing, cpu)).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining(missing),
    })
    const inner = join(folder, 'inner')
    await mkdir(inner)
    await expect(onnxBackend.load(inner, cpu)).rejects.toMatchObject({ code: 'MODEL_LOAD' })
  })

  it('reads external data beside the model', async () => {
    await writeFile(join(folder, 'beside.bin'), Float32Array.of(40))
    const session = await load(externalDataFile('beside.bin'))
    expect((await session.run({ x: floats(2) })).y).toEqual(floats(42))
  })
})

describe('devices', () => {
  const all = ['cuda', 'tensorrt', 'webgpu', 'cpu'] as const

  it('are used when they work, and refused with the list of those that do when not', async () => {
    const working = await onnxProviders()
    expect(working).toContain('cpu')
    const file = await fileOf(identityFile('float32', [1]))
    for (const device of all) {
      const loading = onnxBackend.load(file, { device, threads: 1 })
      if (working.includes(device)) {
        const session = await loading
        expect(session.provider).toBe(device)
        await session.close()
      } else {
        await expect(loading).rejects.toMatchObject({
          code: 'BACKEND_UNAVAILABLE',
          message: expect.stringMatching(`'${device}'.*available: auto ${working.join(' ')}`),
        })
      }
    }
  })

  it('are chosen by auto in the order of preference, silently', async () => {
    const file = await fileOf(identityFile('float32', [1]))
    const backend = fileURLToPath(new URL('../../../dist/agent/backends/onnx.js', import.meta.url))
    const program = `
      import { onnxBackend, onnxProviders } from ${JSON.stringify(backend)}
      const file = ${JSON.stringify(file)}
      const session = await onnxBackend.load(file, { device: 'auto', threads: 1 })
      console.log(JSON.stringify({ provider: session.provider, working: await onnxProviders() }))
      await session.close()`
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      program,
    ])
    const { provider, working } = JSON.parse(stdout)
    const preferred = ['cuda', 'webgpu', 'cpu'].find((device) => working.includes(device))
    expect(provider).toBe(preferred)
    if (provider === 'cpu') expect(stderr).toBe('')
  })
})
