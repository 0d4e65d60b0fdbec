import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Workspace } from './workspace.ts'

/** The agent, started as a user starts it. */
export interface AgentProcess {
  readonly pid: number
  /** It has ended, by whatever cause. */
  gone(): boolean
  /** Ends it with a signal and waits until it is gone; true if it was still there. */
  end(signal: NodeJS.Signals): Promise<boolean>
}

/** What runs: the built command line, or a composition of its own for an experiment. */
export type Program = readonly string[]

/** The built command line. */
export const heliograph: Program = [resolve('dist/agent/cli/heliograph.js'), 'run', '--config']

/** Starts an agent in its workspace. What it prints goes to `agent.log` there; `env` is added to its environment. */
export function startAgentProcess(
  workspace: Pick<Workspace, 'folder' | 'configFile'>,
  program: Program,
  env: NodeJS.ProcessEnv = {},
): AgentProcess {
  const { folder, configFile } = workspace
  const child = spawn(process.execPath, [...program, configFile], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(folder, 'agent.log'), { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  if (child.pid === undefined) throw new Error('the agent could not be started')
  return {
    pid: child.pid,
    gone: () => hasEnded(child),
    end: (signal) => endProcess(child, signal),
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<boolean> {
  if (hasEnded(child)) return false
  const gone = once(child, 'exit')
  child.kill(signal)
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(tooLong)
  return true
}
