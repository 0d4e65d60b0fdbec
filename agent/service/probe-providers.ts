import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const PROBE_LIMIT_MS = 60_000

/**
 * The execution providers that work on this machine, found out in a process of its own.
 * @param entry the compiled `backends/probe.js`
 */
export async function probeProviders(entry: URL): Promise<string[]> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [entry.pathname], { timeout: PROBE_LIMIT_MS })
  const found: unknown = JSON.parse(stdout)
  return Array.isArray(found) ? found.map(String) : []
}
