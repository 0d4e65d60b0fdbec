import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Loading a driver and its firmware takes seconds on small boards, ms. */
const trialLimitMs = 20_000

/**
 * Runs a program of ours that tries something out, in a process of its own: a driver that crashes, hangs
 * or complains does it there. Whether it printed `true`; never rejects.
 * @param entry a compiled module
 */
export function trialInProcess(
  entry: URL,
  args: readonly string[],
  limitMs = trialLimitMs,
): Promise<boolean> {
  const options = { timeout: limitMs, killSignal: 'SIGKILL' } as const
  return new Promise((resolve) => {
    execFile(process.execPath, [fileURLToPath(entry), ...args], options, (error, stdout) => {
      resolve(error === null && stdout.trim() === 'true')
    })
  })
}
