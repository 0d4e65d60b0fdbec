import { statfs } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Metrics } from '../../schemas/state.ts'
import { type Gpu, readGpus } from './gpu.ts'
import { readTraffic } from './network.ts'
import { part, type Unavailable } from './part.ts'
import type { MemoryMeter } from './process-usage.ts'

/** `$metrics` without what only the agent knows. */
export type Resources = Omit<Metrics, 'v' | 'at' | 'uptimeS' | 'services'>

/** What is to be measured. */
export interface ResourceParts {
  /** The folder whose disk is of interest. */
  readonly folder: string
  /** The processes whose memory counts as the agent's. */
  pids(): readonly number[]
  readonly memoryOf: MemoryMeter
}

/**
 * A reader of the machine's resources; rates are since its last reading. It never throws and answers
 * within about two seconds: what cannot be read says why.
 */
export function resourceReader({
  folder,
  pids,
  memoryOf,
}: ResourceParts): () => Promise<Resources> {
  const parts = {
    cpu: part({ name: 'cpu' }, cpuLoad()),
    memory: part({ name: 'memory' }, () => memory(pids(), memoryOf)),
    disk: part({ name: 'disk' }, () => disk(folder)),
    network: part({ name: 'network' }, networkRate()),
    temperature: part<Celsius>({ name: 'temperature', keepMs: patiently(30_000) }, temperature),
    gpu: part<Gpu[]>({ name: 'gpu', keepMs: patiently(10_000) }, () => readGpus()),
  }
  return async () => {
    const [cpu, mem, space, network, heat, gpu] = await Promise.all([
      parts.cpu(),
      parts.memory(),
      parts.disk(),
      parts.network(),
      parts.temperature(),
      parts.gpu(),
    ])
    return { cpu, memory: mem, disk: space, network, temperature: heat, gpu }
  }
}

interface Celsius {
  readonly celsius: number
}

/** Looking for a sensor or a GPU runs programs: one that was not there is looked for every ten minutes. */
function patiently(keepMs: number): (answer: object) => number {
  return (answer) => ('unavailable' in answer ? 600_000 : keepMs)
}

function cpuLoad(): () => Promise<{ load: number } | Unavailable> {
  let last = cpuTimes()
  return async () => {
    const now = cpuTimes()
    const all = now.all - last.all
    const busy = now.busy - last.busy
    last = now
    if (all <= 0) return { unavailable: 'cpu: no time has passed since the last reading' }
    return { load: Math.min(1, Math.max(0, busy / all)) }
  }
}

function cpuTimes(): { all: number; busy: number } {
  const times = cpus().map(({ times }) => times)
  const all = times.reduce(
    (sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq,
    0,
  )
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) }
}

async function memory(pids: readonly number[], memoryOf: MemoryMeter) {
  const { mem } = await import('systeminformation/lib/memory.js')
  const [{ total, available }, ...processes] = await Promise.all([mem(), ...pids.map(memoryOf)])
  const agentBytes = processes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)
  return { totalBytes: total, usedBytes: total - available, agentBytes }
}

/** What an ordinary user may still write, as `df` shows it. */
async function disk(path: string) {
  const { bsize, blocks, bavail } = await statfs(path)
  return { path, totalBytes: bsize * blocks, freeBytes: bsize * bavail }
}

function networkRate(): () => Promise<{ rxBytesPerS: number; txBytesPerS: number } | Unavailable> {
  const take = async () => ({ ...(await readTraffic()), at: performance.now() })
  let last = take()
  last.catch(() => undefined)
  return async () => {
    const before = last
    last = take()
    const [old, now] = await Promise.all([before, last])
    const seconds = (now.at - old.at) / 1000
    if (seconds <= 0) return { unavailable: 'network: no time has passed since the last reading' }
    // A counter falls when an interface goes and comes back.
    const rate = (bytes: number) => Math.max(0, bytes) / seconds
    return { rxBytesPerS: rate(now.rx - old.rx), txBytesPerS: rate(now.tx - old.tx) }
  }
}

async function temperature(): Promise<Celsius | Unavailable> {
  const { cpuTemperature } = await import('systeminformation/lib/cpu.js')
  const { main } = await cpuTemperature()
  return main ? { celsius: main } : { unavailable: 'this machine shows no temperature sensor' }
}
