import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as passed } from 'node:timers/promises'
import WebSocket from 'ws'

/** A running Node process as its inspector shows it. */
export interface Inspector {
  /** Collects its garbage, so that what it occupies afterwards is what it holds. */
  collectGarbage(): Promise<void>
  close(): void
}

/** For the environment of the inspected process: whatever it starts, too, listens on a port of its own. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' } as const

const OPENING_MS = 5000
const LISTENING = '0A'

/** Opens the inspector of a process that was started with {@link inspectable}. Linux only. */
export async function inspect(pid: number): Promise<Inspector> {
  const before = await listeningPorts(pid)
  process.kill(pid, 'SIGUSR1')
  const port = await newPort(pid, before)
  const list = await fetch(`http://127.0.0.1:${port}/json/list`)
  const [target] = (await list.json()) as { readonly webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '')
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let asked = 0
  return {
    async collectGarbage() {
      const id = ++asked
      const done = new Promise<void>((resolve, reject) => {
        const gone = () => reject(new Error(`process ${pid} ended while its garbage was collected`))
        socket.once('close', gone)
        socket.on('message', function answered(text) {
          if (JSON.parse(text.toString()).id !== id) return
          socket.off('message', answered).off('close', gone)
          resolve()
        })
      })
      socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }))
      await done
    },
    close: () => socket.terminate(),
  }
}

async function newPort(pid: number, before: readonly number[]): Promise<number> {
  for (const end = performance.now() + OPENING_MS; performance.now() < end; await passed(50)) {
    const opened = (await listeningPorts(pid)).find((port) => !before.includes(port))
    if (opened !== undefined) return opened
  }
  throw new Error(`process ${pid} opened no inspector within ${OPENING_MS} ms`)
}

/** The TCP ports, over IPv4, on which a process listens. */
async function listeningPorts(pid: number): Promise<number[]> {
  const files = await readdir(`/proc/${pid}/fd`)
  const links = await Promise.all(
    files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')),
  )
  const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n').slice(1)
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/)
    const own = state === LISTENING && links.includes(`socket:[${inode}]`)
    return own ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : []
  })
}
