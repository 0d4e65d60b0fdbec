import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseGpus, readGpus } from '../../../agent/metrics/gpu.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-gpu-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function tool(name: string, script: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return file
}

describe('parseGpus', () => {
  it('reads percent, MiB and degrees', () => {
    expect(parseGpus('NVIDIA H100 80GB HBM3, 37, 1024, 81559, 41\n')).toEqual([
      {
        name: 'NVIDIA H100 80GB HBM3',
        load: 0.37,
        memoryUsedBytes: 1_073_741_824,
        memoryTotalBytes: 81_559 * 1_048_576,
        celsius: 41,
      },
    ])
  })

  it('leaves out what a GPU does not tell', () => {
    expect(parseGpus('Orin (nvgpu), [N/A], [N/A], [Not Supported], \n')).toEqual([
      { name: 'Orin (nvgpu)' },
    ])
  })
})

describe('readGpus', () => {
  it('asks the tool for each GPU', async () => {
    const file = await tool('two', 'echo "A, 0, 0, 1, 30"; echo "B, 100, 1, 1, 90"')
    expect(await readGpus(file)).toMatchObject([
      { name: 'A', load: 0 },
      { name: 'B', load: 1 },
    ])
  })

  it('says how the tool fails', async () => {
    const file = await tool('broken', 'echo "No devices were found"; exit 6')
    expect(await readGpus(file)).toEqual({
      unavailable: 'nvidia-smi fails: No devices were found',
    })
  })

  it('gives up on a tool that hangs', async () => {
    const file = await tool('hangs', 'exec tail -f /dev/null')
    expect(await readGpus(file)).toEqual({ unavailable: 'nvidia-smi does not answer' })
  })
})
