import { execFileSync } from 'node:child_process'
import { totalmem } from 'node:os'
import { expect, it } from 'vitest'
import { memoryMeter } from '../../../agent/metrics/process-usage.ts'
import { resourceReader } from '../../../agent/metrics/resources.ts'
import { check } from '../../../schemas/decode.ts'
import { Metrics } from '../../../schemas/state.ts'

const pids = () => [process.pid]

it('reads what the contract says, with no part left out', async () => {
  const resources = await resourceReader({ folder: process.cwd(), pids, memoryOf: memoryMeter() })()
  const metrics = { v: 1, at: 0, uptimeS: 0, services: {}, ...resources }
  expect(check(Metrics, metrics)).toMatchObject({ ok: true, unknown: [] })
})

it('agrees with df about the disk, and with the system about memory', async () => {
  const { disk, memory } = await resourceReader({
    folder: process.cwd(),
    pids,
    memoryOf: memoryMeter(),
  })()
  const df = ['-B1', '--output=size,avail', process.cwd()]
  const [total = 0, free = 0] = execFileSync('df', df, { encoding: 'utf8' })
    .split('\n')
    .slice(1)
    .flatMap((line) => line.trim().split(/\s+/).map(Number))
  if ('unavailable' in disk || 'unavailable' in memory) throw new Error('nothing was read')
  expect(total).toBeGreaterThan(0)
  expect(disk.totalBytes).toBe(total)
  expect(Math.abs(disk.freeBytes - free)).toBeLessThan(2 ** 30)
  expect(memory.totalBytes).toBe(totalmem())
  expect(memory.usedBytes).toBeGreaterThan(memory.agentBytes)
  expect(memory.agentBytes).toBeGreaterThan(10e6)
})

it('says why a part cannot be read, and reads the others', async () => {
  const { disk, memory } = await resourceReader({
    folder: '/no/such/folder',
    pids,
    memoryOf: memoryMeter(),
  })()
  expect(disk).toEqual({ unavailable: expect.stringContaining('ENOENT') })
  expect(memory).toHaveProperty('totalBytes')
})
