import { readFile } from 'node:fs/promises'

/** Clock ticks per second in /proc: `getconf CLK_TCK` on every Linux there is. */
const TICKS_PER_S = 100

/** CPU time that these processes, and those they have outlived, used so far; ms. */
export async function cpuMsOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuTicks))
  return (each.reduce((sum, ticks) => sum + ticks, 0) * 1000) / TICKS_PER_S
}

/** Fields 14 to 17 of proc(5) stat: user and system time, own and of children that ended. */
async function cpuTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
}

/** Proportional set size: shared pages count in proportion; MB of 10⁶ bytes. */
export function pssMb(pid: number): Promise<number> {
  return memoryMb(pid, 'Pss')
}

/** What a process has of its own, without the files that it maps: it grows by nothing but its own doing; MB of 10⁶ bytes. */
export function anonymousMb(pid: number): Promise<number> {
  return memoryMb(pid, 'Pss_Anon')
}

async function memoryMb(pid: number, field: 'Pss' | 'Pss_Anon'): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup) ?? []
  if (kib === undefined) throw new Error(`no ${field} of process ${pid}`)
  return (Number(kib) * 1024) / 1e6
}
