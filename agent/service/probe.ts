import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROBE_LIMIT_MS = 60_000

/** What a program of ours, run in a process of its own, prints as JSON. @param entry a compiled module */
export async function runProbe(entry: URL, args: readonly string[] = []): Promise<unknown> {
  const run = promisify(execFile)
  const program = [fileURLToPath(entry), ...args]
  const { stdout } = await run(process.execPath, program, { timeout: PROBE_LIMIT_MS })
  return JSON.parse(stdout)
}
