import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { RECORD_FORMAT } from './recording.ts'

/** An outside program that writes down everything that it is sent. */
export interface Recorder {
  stop(): Promise<void>
}

/** Starts `mosquitto_sub` on every topic, writing into `file`. It connects again by itself. */
export function startRecorder(port: number, file: string): Recorder {
  const output = openSync(file, 'a')
  const child: ChildProcess = spawn('mosquitto_sub', [...toAll(port), '-q', '1'], {
    stdio: ['ignore', output, 'inherit'],
  })
  closeSync(output)
  return {
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** What is retained now, as text of the same format. */
export async function retainedNow(port: number): Promise<string> {
  const args = [...toAll(port), '--retained-only', '-W', '2']
  const run = promisify(execFile)('mosquitto_sub', args, { maxBuffer: 2 ** 26 })
  // It reports the end of its time as a failure, with what it wrote.
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  return stdout
}

function toAll(port: number): string[] {
  return ['-h', '127.0.0.1', '-p', String(port), '-t', '#', '-F', RECORD_FORMAT]
}
