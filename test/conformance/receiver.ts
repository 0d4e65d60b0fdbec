import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** The ffmpeg program as a server that takes one pushed stream. */
export interface Receiver {
  readonly url: string
  /** Waits for the end of the stream: its bytes (Annex B) and the pictures' times, s. */
  received(): Promise<{ readonly data: Buffer; readonly times: readonly number[] }>
  kill(): void
  /** It stays there, and reads no more. */
  freeze(): void
}

/** Starts one that listens already. */
export async function startReceiver(protocol: 'rtsp' | 'rtmp'): Promise<Receiver> {
  const folder = mkdtempSync(join(tmpdir(), 'heliograph-push-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'received.mkv')
  const url = `${protocol}://127.0.0.1:${await freePort()}/live/key`
  const listening =
    protocol === 'rtsp' ? ['-rtsp_flags', 'listen', '-i', url] : ['-listen', '1', '-i', url]
  const child = spawn('ffmpeg', ['-v', 'error', ...listening, '-c', 'copy', '-y', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await listens(url)
  return {
    url,
    async received() {
      await ended(child)
      return { data: annexB(file), times: timesOf(file) }
    },
    kill: () => void child.kill('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Looks at the kernel's table: connecting would use up the one connection that it takes. */
async function listens(url: string): Promise<void> {
  const port = Number(new URL(url.replace(/^rt.p/, 'http')).port)
  const entry = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`
  const deadline = performance.now() + 10_000
  while (!readFileSync('/proc/net/tcp', 'utf8').includes(entry)) {
    if (performance.now() > deadline) throw new Error(`nobody listens at ${url}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

function annexB(file: string): Buffer {
  const args = ['-v', 'error', '-i', file, '-c', 'copy', '-f', 'h264', '-']
  return execFileSync('ffmpeg', args, { maxBuffer: 1 << 26 })
}

function timesOf(file: string): number[] {
  const args = ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file]
  return execFileSync('ffprobe', args).toString().trim().split('\n').map(Number.parseFloat)
}
