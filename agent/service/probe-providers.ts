import { runProbe } from './probe.ts'

/**
 * The execution providers that work on this machine, found out in a process of its own.
 * @param entry the compiled `backends/probe.js`
 */
export async function probeProviders(entry: URL): Promise<string[]> {
  const found = await runProbe(entry)
  return Array.isArray(found) ? found.map(String) : []
}
