import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import { modelCacheFolder } from '../../model-cache.ts'

/** The built command line, as users start it. */
export const program = resolve('dist/agent/cli/heliograph.js')

/** How a command ended, and what it printed. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that is running. */
export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Outcome>
  /** Resolves with the first match in what it prints on either stream. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts `heliograph` as the leader of a process group, as a shell does. `cwd` has no configuration. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HELIOGRAPH_'))
  const child = spawn(process.execPath, [program, ...args], {
    cwd: tmpdir(),
    env: {
      ...Object.fromEntries(inherited),
      HELIOGRAPH_MODELS_CACHE_FOLDER: modelCacheFolder,
      ...env,
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
    })
  }
  running.add(child)
  const ended = once(child, 'close').then(([code]): Outcome => {
    running.delete(child)
    return { code, ...text }
  })
  return { process: child, ended, prints: (pattern) => printed(child, text, pattern) }
}

/** Runs a command to its end. */
export function heliograph(
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Outcome> {
  return start(args, env).ended
}

function printed(
  child: ChildProcess,
  text: { readonly stdout: string; readonly stderr: string },
  pattern: RegExp,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(text.stdout) ?? pattern.exec(text.stderr)
      if (match) resolve(match)
      return match
    }
    if (look()) return
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.on('close', () => reject(new Error(`no ${pattern} in: ${JSON.stringify(text)}`)))
  })
}

const running = new Set<ChildProcess>()
const folders: string[] = []

/** An empty folder that is gone after the tests of the file. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-cli-'))
  folders.push(folder)
  return folder
}

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})
