import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { anonymousMb } from '../../bench/proc.ts'
import { topicRole } from '../../schemas/address.ts'
import { fuzzMessage, randomFrom } from './fuzz.ts'
import { inspect, inspectable } from './inspector.ts'
import { slopeInterval, slopePerHour } from './slope.ts'

describe('the fuzzer', () => {
  it('gives the same messages for the same seed, and others for another', () => {
    const series = (seed: number) => {
      const random = randomFrom(seed)
      return Array.from({ length: 50 }, () => fuzzMessage(random, 'x'))
    }
    expect(series(1)).toEqual(series(1))
    expect(series(1)).not.toEqual(series(2))
  })

  it('reaches every control topic, with JSON and with none', () => {
    const random = randomFrom(7)
    const messages = Array.from({ length: 2000 }, () => fuzzMessage(random, 'x'))
    const book = { root: 'edge', agent: 'porch' }
    const roles = messages.map(({ path }) => topicRole(book, `edge/1/porch/${path}`).role)
    expect(new Set(roles)).toEqual(new Set(['control', 'command']))
    expect(new Set(messages.map(({ path }) => path)).size).toBe(9)
    const isJson = ({ payload }: { payload: Uint8Array }) => {
      try {
        JSON.parse(Buffer.from(payload).toString())
        return true
      } catch {
        return false
      }
    }
    const share = messages.filter(isJson).length / messages.length
    expect(share).toBeGreaterThan(0.3)
    expect(share).toBeLessThan(0.7)
  })
})

describe('the inspector', () => {
  it('leaves a process only what it holds', async () => {
    const lazy =
      'const held = Buffer.alloc(1e6, 1); setInterval(() => held, 1e6); Buffer.alloc(60e6, 1)'
    const child = spawn(process.execPath, ['-e', lazy], { env: { ...process.env, ...inspectable } })
    try {
      const pid = child.pid ?? 0
      await expect.poll(() => anonymousMb(pid), { timeout: 10_000 }).toBeGreaterThan(60)
      const inspector = await inspect(pid)
      await inspector.collectGarbage()
      await expect.poll(() => anonymousMb(pid), { timeout: 10_000 }).toBeLessThan(60)
      inspector.close()
    } finally {
      child.kill('SIGKILL')
    }
  })
})

describe('the slope', () => {
  it('is that of a straight line, whatever its offset', () => {
    const samples = [0, 1, 2, 3].map((minute) => ({
      atMs: minute * 60_000,
      value: 80 + minute / 10,
    }))
    expect(slopePerHour(samples)).toBeCloseTo(6)
  })

  it('is level for values that swing about the same', () => {
    const samples = [5, 3, 5, 3, 5].map((value, at) => ({ atMs: at, value }))
    expect(slopePerHour(samples)).toBeCloseTo(0)
  })

  it('has an interval: none for a straight line, and around the truth for a noisy one', () => {
    const line = (noise: (at: number) => number) =>
      Array.from({ length: 60 }, (_, at) => ({
        atMs: at * 60_000,
        value: 80 + at / 10 + noise(at),
      }))
    const exact = slopeInterval(line(() => 0))
    expect(exact.slope).toBeCloseTo(6)
    expect(exact.high - exact.low).toBeCloseTo(0)
    const intervals = Array.from({ length: 200 }, (_, seed) => {
      const random = randomFrom(seed + 1)
      return slopeInterval(line(() => random() - 0.5))
    })
    const around = intervals.filter(({ low, high }) => low < 6 && 6 < high)
    expect(around.length / intervals.length).toBeGreaterThan(0.9)
    expect(around.length / intervals.length).toBeLessThan(0.99)
  })

  it('needs two samples', () => {
    expect(() => slopePerHour([{ atMs: 0, value: 1 }])).toThrow('no line')
  })
})
