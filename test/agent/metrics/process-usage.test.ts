import { performance } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { memoryMeter, processMeter } from '../../../agent/metrics/process-usage.ts'

const burn = (ms: number) => {
  const end = performance.now() + ms
  while (performance.now() < end) Math.sqrt(end)
}

it('measures cores as the process itself counts its time', async () => {
  const usage = processMeter(memoryMeter())
  expect(await usage(process.pid)).not.toHaveProperty('cpu')
  const before = { cpu: process.cpuUsage(), at: performance.now() }
  burn(500)
  const { cpu } = await usage(process.pid)
  const { user, system } = process.cpuUsage(before.cpu)
  const cores = (user + system) / 1000 / (performance.now() - before.at)
  expect(cores).toBeGreaterThan(0)
  expect(Math.abs((cpu ?? 0) - cores)).toBeLessThan(0.25)
})

it('measures memory: less than what is resident, since shared pages count for their share', async () => {
  const residentBytes = process.memoryUsage().rss
  const { memoryBytes = 0 } = await processMeter(memoryMeter())(process.pid)
  expect(memoryBytes).toBeGreaterThan(residentBytes * 0.3)
  expect(memoryBytes).toBeLessThan(residentBytes * 1.1)
})

it('says nothing of a process that does not exist', async () => {
  expect(await processMeter(memoryMeter())(2 ** 22 + 1)).toEqual({})
})

it('does not walk the pages of a process again at every reading', async () => {
  const memoryOf = memoryMeter()
  const first = await memoryOf(process.pid)
  const more = new Uint8Array(64 << 20).fill(1)
  expect(await memoryOf(process.pid)).toBe(first)
  expect(await memoryMeter()(process.pid)).toBeGreaterThan((first ?? 0) + more.length / 2)
})
