import { readFile } from 'node:fs/promises'

/** What a process uses; a part that cannot be read is left out. */
export interface ProcessUsage {
  /** Cores, on average since the last reading of this process. */
  readonly cpu?: number
  /** Proportional set size (a shared page counts for its share), or resident where that is hidden. */
  readonly memoryBytes?: number
}

interface Times {
  /** Tells a process from a later one with the same id. */
  readonly started: string
  readonly cpuS: number
  readonly at: number
}

/** Bytes of a process, or nothing where they cannot be read. */
export type MemoryMeter = (pid: number) => Promise<number | undefined>

/** The kernel walks all of a process's pages to answer: milliseconds, so it is not asked again sooner. */
const MEMORY_KEPT_MS = 20_000

/** Reads the proportional set size of processes, or their resident size where that is hidden. Linux only. */
export function memoryMeter(): MemoryMeter {
  const kept = new Map<
    number,
    { readonly at: number; readonly bytes: Promise<number | undefined> }
  >()
  return (pid) => {
    const now = performance.now()
    for (const [other, { at }] of kept) if (now - at > MEMORY_KEPT_MS) kept.delete(other)
    const entry = kept.get(pid) ?? { at: now, bytes: memoryOf(pid) }
    kept.set(pid, entry)
    return entry.bytes
  }
}

/** Reads what processes use, by process id; it remembers the last reading of each. Linux only. */
export function processMeter(memory: MemoryMeter): (pid: number) => Promise<ProcessUsage> {
  const last = new Map<number, Times>()
  return async (pid) => {
    const [now, memoryBytes] = await Promise.all([timesOf(pid), memory(pid)])
    const before = last.get(pid)
    if (now) last.set(pid, now)
    else last.delete(pid)
    const used = memoryBytes === undefined ? {} : { memoryBytes }
    if (!now || before?.started !== now.started || now.at <= before.at) return used
    return { ...used, cpu: Math.max(0, (now.cpuS - before.cpuS) / ((now.at - before.at) / 1000)) }
  }
}

/** Fields of /proc/<pid>/stat after the name, which may hold spaces and brackets; proc(5) counts from 3. */
async function timesOf(pid: number): Promise<Times | undefined> {
  const stat = await read(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => fields?.[number - 3] ?? ''
  const ticks = Number(field(14)) + Number(field(15))
  if (!fields || !Number.isFinite(ticks)) return undefined
  return { started: field(22), cpuS: ticks / TICKS_PER_S, at: performance.now() }
}

/** USER_HZ: what Linux shows to programs, on every architecture that Node runs on. */
const TICKS_PER_S = 100

async function memoryOf(pid: number): Promise<number | undefined> {
  const shares = await read(`/proc/${pid}/smaps_rollup`)
  const kilobytes =
    /^Pss:\s+(\d+) kB/m.exec(shares ?? '') ??
    /^VmRSS:\s+(\d+) kB/m.exec((await read(`/proc/${pid}/status`)) ?? '')
  return kilobytes ? Number(kilobytes[1]) * 1024 : undefined
}

/** The file, or nothing: the process may have ended, belong to someone else, or there is no /proc. */
async function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}
