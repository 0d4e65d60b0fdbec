import { spawn } from 'node:child_process'
import { AgentError } from '../../core/errors.ts'
import { redact } from '../../core/redact.ts'

const MAX_STDERR = 2000

/**
 * Runs npm; returns what it printed. npm may be a script that starts it, so it is cancelled with all
 * its children. @throws AgentError MODEL_LOAD, retryable, when npm is absent or fails
 */
export async function npm(args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const child = spawn('npm', [...args, '--no-update-notifier'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr = (output.stderr + text).slice(0, MAX_STDERR)
  })
  const kill = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  signal.addEventListener('abort', kill)
  try {
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    if (code === 0) return output.stdout
    throw new Error(reasonIn(output.stderr) ?? `exit code ${code}`)
  } catch (error) {
    signal.throwIfAborted()
    throw new AgentError('MODEL_LOAD', redact(`npm ${args[0]}: ${(error as Error).message}`), {
      cause: error,
      retryable: true,
    })
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

/** The first line in which npm says what happened, without its prefixes and error numbers. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (?:error|ERR!)/, '').trim())
  const reason = lines.find((line) => line && !/^(?:code|syscall|errno) /.test(line))
  return reason?.replace(/^network /, '')
}
