import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

/** A program that listens on a port. */
export interface PortHolder {
  readonly name: string
  readonly pid: number
}

/** Who listens on a TCP port of this machine, as far as /proc tells this user. Linux only; never throws. */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readOrEmpty))
  const sockets = new Set(
    tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`),
  )
  if (sockets.size === 0) return
  for (const entry of await listOrEmpty('/proc')) {
    const pid = Number(entry)
    if (Number.isInteger(pid) && (await holdsOneOf(pid, sockets)))
      return { name: await nameOf(pid), pid }
  }
  return
}

/** The inodes of sockets that listen on `port`, from the text of /proc/net/tcp or tcp6 (proc(5)). */
export function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A'
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    const [, hexPort = ''] = local.split(':')
    const listens = state === LISTEN && Number.parseInt(hexPort, 16) === port
    return listens && inode ? [inode] : []
  })
}

/** The program's name in the text of /proc/<pid>/cmdline; a program may have put a title there. */
export function programName(commandLine: string): string {
  const [first = ''] = commandLine.split('\0')
  const [word = ''] = first.split(' ')
  return basename(word).replace(/:$/, '')
}

async function holdsOneOf(pid: number, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  const files = await listOrEmpty(folder)
  const targets = await Promise.all(
    files.map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  )
  return targets.some((target) => sockets.has(target))
}

async function nameOf(pid: number): Promise<string> {
  const name = programName(await readOrEmpty(`/proc/${pid}/cmdline`))
  return name || (await readOrEmpty(`/proc/${pid}/comm`)).trim() || 'unknown'
}

/** Other users' processes, and those that just ended, cannot be read. */
function readOrEmpty(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}

function listOrEmpty(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
