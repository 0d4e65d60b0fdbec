import { readdir, readFile, readlink } from 'node:fs/promises'

/** A process, as /proc shows it. */
export interface ProcessInfo {
  readonly pid: number
  readonly command: string
}

/** The live processes that work in `folder`: an agent started there, and whatever it started. */
export async function processesIn(folder: string): Promise<ProcessInfo[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map((pid) => processIn(folder, pid)))
  return found.filter((one) => one !== undefined)
}

async function processIn(folder: string, pid: number): Promise<ProcessInfo | undefined> {
  try {
    if ((await readlink(`/proc/${pid}/cwd`)) !== folder) return undefined
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    if (/\) [ZX] /.test(stat)) return undefined
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return { pid, command: command.replaceAll('\0', ' ').trim() }
  } catch {
    // It ended meanwhile, or is another user's.
    return undefined
  }
}

/** The native modules that a process has loaded, by file. */
export async function nativeModulesOf(pid: number): Promise<string[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8')
  const files = maps.split('\n').map((line) => line.split(/\s+/).slice(5).join(' '))
  return [...new Set(files)].filter((file) => file.endsWith('.node'))
}
