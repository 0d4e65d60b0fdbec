import { type ExecFileException, execFile } from 'node:child_process'
import type { Metrics } from '../../schemas/state.ts'
import type { Unavailable } from './part.ts'

/** One GPU; what it does not tell is left out. */
export type Gpu = Extract<Metrics['gpu'], readonly unknown[]>[number]

/**
 * The GPUs: load, memory and temperature from NVIDIA's own tool where that is installed, else the
 * names that the system knows. systeminformation would run the tool too, but block the event loop
 * until it answers.
 */
export async function readGpus(tool = 'nvidia-smi'): Promise<Gpu[] | Unavailable> {
  const table = await nvidia(tool)
  if (table) return typeof table === 'string' ? parseGpus(table) : table
  const { graphics } = await import('systeminformation/lib/graphics.js')
  const { controllers } = await graphics()
  const names = controllers.map(({ model }) => model).filter((model) => model !== '')
  if (names.length > 0) return names.map((name) => ({ name }))
  return { unavailable: 'no GPU found (nvidia-smi is not installed, the system lists no other)' }
}

const columns = ['name', 'utilization.gpu', 'memory.used', 'memory.total', 'temperature.gpu']

/** The tool's table, or why there is none; undefined where it is not installed. */
function nvidia(tool: string): Promise<string | Unavailable | undefined> {
  const what = [`--query-gpu=${columns.join(',')}`, '--format=csv,noheader,nounits']
  return new Promise((resolve) => {
    execFile(tool, what, { timeout: 1900, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (!error) resolve(stdout)
      else if (error.code === 'ENOENT') resolve(undefined)
      else resolve({ unavailable: reason(error, stdout) })
    })
  })
}

function reason(error: ExecFileException, stdout: string): string {
  if (error.killed) return 'nvidia-smi does not answer'
  return `nvidia-smi fails: ${stdout.trim().split('\n')[0] || `exit code ${error.code}`}`
}

/** Reads nvidia-smi's table: percent, MiB, MiB, °C; `[N/A]` where a GPU does not tell. */
export function parseGpus(table: string): Gpu[] {
  const lines = table.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => {
    const [name = '', load, used, total, celsius] = line.split(',').map((cell) => cell.trim())
    return {
      name,
      ...number('load', load, 0.01),
      ...number('memoryUsedBytes', used, 1024 ** 2),
      ...number('memoryTotalBytes', total, 1024 ** 2),
      ...number('celsius', celsius, 1),
    }
  })
}

function number<K extends string>(key: K, cell: string | undefined, unit: number) {
  const value = Number(cell || Number.NaN)
  return (Number.isFinite(value) ? { [key]: value * unit } : {}) as { [P in K]?: number }
}
