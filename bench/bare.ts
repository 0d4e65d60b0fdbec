import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { promisify } from 'node:util'

/** What a bare loop did in its time. */
export interface BareResult {
  readonly count: number
  readonly wallMs: number
  readonly cpuMs: number
}

/** What any agent must do: run the model; decode and scale a video's pictures; all that one still needs. And how ours decodes. */
export type Loop = 'bare-inference' | 'bare-decode' | 'bare-still' | 'own-decode'

/**
 * Runs a loop in a process of its own, at the priority of a service process.
 * @param rate turns per second, where it is not to run as fast as it can
 */
export async function runLoop(loop: Loop, seconds: number, rate?: number): Promise<BareResult> {
  const script = resolve(`bench/${loop}.ts`)
  const command = ['-n', '10', process.execPath, '--import', import.meta.resolve('tsx'), script]
  // As in the agent's processes.
  const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' }
  const { stdout } = await promisify(execFile)(
    'nice',
    [...command, String(seconds), ...(rate ? [String(rate)] : [])],
    { env },
  )
  return JSON.parse(stdout) as BareResult
}

/** Repeats `work`, a second to warm up, then for `seconds`; the CPU time is the whole process's. */
export async function measure(work: () => Promise<void>, seconds: number): Promise<BareResult> {
  await repeat(work, 1000)
  const cpu = process.cpuUsage()
  const began = performance.now()
  const count = await repeat(work, seconds * 1000)
  const { user, system } = process.cpuUsage(cpu)
  return { count, wallMs: performance.now() - began, cpuMs: (user + system) / 1000 }
}

/** `work`, as often a second as `rate` says; without one, as often as it can be. */
export function pacedBy(work: () => Promise<void>, rate?: number): () => Promise<void> {
  if (!rate) return work
  let due = performance.now()
  return async () => {
    due = Math.max(due + 1000 / rate, performance.now() - 1000)
    await passed(Math.max(0, due - performance.now()))
    await work()
  }
}

/** Hands a result to the bench and ends this process, whatever else of it is still open. */
export function report(result: BareResult): void {
  process.stdout.write(JSON.stringify(result), () => process.exit(0))
}

async function repeat(work: () => Promise<void>, ms: number): Promise<number> {
  let count = 0
  for (const end = performance.now() + ms; performance.now() < end; count++) await work()
  return count
}
