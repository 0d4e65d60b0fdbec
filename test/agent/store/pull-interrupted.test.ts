import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LocalRegistry, localRegistry } from './local-registry.ts'
import { type OpenStore, openStore, pullEntry, useRegistry } from './open-store.ts'
import {
  installManifest,
  manifestOf,
  type Packed,
  packTinyModel,
  tinyImport,
} from './tiny-model.ts'

const PADDING = 3_000_000
const STALL_AFTER = 1_000_000

let registry: LocalRegistry
let opened: OpenStore
let tarball: Packed

beforeEach(async () => {
  registry = await localRegistry()
  await useRegistry(registry.url)
  opened = await openStore()
  tarball = await packTinyModel('tiny-model', PADDING)
  registry.list('tiny-model', { ...tarball, stallAfter: STALL_AFTER })
  const { integrity } = tarball
  const provider = { package: 'tiny-model', version: '1.0.0', path: 'model.json' } as const
  await installManifest(
    opened.modelsFolder,
    manifestOf('tiny', { type: 'npm', ...provider, integrity, convert: tinyImport }),
  )
})
afterEach(() => registry.close())

const pullFolder = () => join(opened.cacheFolder, '.pulls')
const unfinished = () => readdir(pullFolder())
const models = () => readdir(join(opened.cacheFolder, 'tiny')).catch(() => [])

/** Processes that pull for `parent`. */
async function pullProcesses(parent = process.pid): Promise<number[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    numbers.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const isChild = status.includes(`\nPPid:\t${parent}\n`) && !status.includes('\nState:\tZ')
      return isChild && command.includes('pull-worker') ? Number(pid) : undefined
    }),
  )
  return found.filter((pid) => pid !== undefined)
}

const isAlive = async (pid: number) =>
  /\nState:\t[^Z]/.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))

describe('an interrupted pull', () => {
  it('ends with its process, and leaves nothing, when its caller gives up', async () => {
    const abort = new AbortController()
    const waiting = opened.store.ensure('tiny', { signal: abort.signal })
    const failure = expect(waiting).rejects.toMatchObject({ code: 'MODEL_LOAD', retryable: true })
    const { gone } = await registry.stalled
    const pids = await pullProcesses()
    expect(pids).toHaveLength(1)
    abort.abort()
    await failure
    await gone
    await expect.poll(unfinished).toEqual([])
    await expect.poll(() => pullProcesses()).toEqual([])
    expect(await models()).toEqual([])
  })

  it('goes on while somebody else waits for it', async () => {
    const abort = new AbortController()
    const first = opened.store.ensure('tiny', { signal: abort.signal })
    const firstFailure = expect(first).rejects.toMatchObject({ code: 'MODEL_LOAD' })
    const rest = new AbortController()
    const second = opened.store.ensure('tiny', { signal: rest.signal })
    const secondFailure = expect(second).rejects.toMatchObject({ code: 'MODEL_LOAD' })
    await registry.stalled
    abort.abort()
    await firstFailure
    expect(await pullProcesses()).toHaveLength(1)
    rest.abort()
    await secondFailure
    await expect.poll(() => pullProcesses()).toEqual([])
  })

  it('leaves nothing when its process is killed, and can be started again', async () => {
    const waiting = opened.store.ensure('tiny')
    const failure = expect(waiting).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      retryable: true,
      message: expect.stringContaining('SIGKILL'),
    })
    await registry.stalled
    const [pid = 0] = await pullProcesses()
    process.kill(pid, 'SIGKILL')
    await failure
    expect(await unfinished()).toEqual([])
    expect(await models()).toEqual([])

    registry.list('tiny-model', tarball)
    await opened.store.ensure('tiny')
    expect(await models()).toHaveLength(1)
  })

  it('ends and cleans up by itself when the agent is killed', async () => {
    const store = new URL('./store.js', pullEntry).href
    const parts = { cacheFolder: opened.cacheFolder, folders: [opened.modelsFolder] }
    const program = `
      import { modelStore } from '${store}'
      const log = { info() {}, warn() {} }
      await modelStore({ ...${JSON.stringify(parts)}, log }).ensure('tiny')`
    const agent = spawn(process.execPath, ['--input-type=module', '-e', program])
    const { gone } = await registry.stalled
    const [pid = 0] = await pullProcesses(agent.pid)
    expect(await isAlive(pid)).toBe(true)
    agent.kill('SIGKILL')
    await once(agent, 'exit')
    await gone
    await expect.poll(unfinished).toEqual([])
    await expect.poll(() => isAlive(pid)).toBe(false)
    expect(await models()).toEqual([])
  })

  it('is swept up by the next one if nothing else could, unless it is recent', async () => {
    const [old, recent] = ['pull-old', 'pull-recent'].map((name) => join(pullFolder(), name))
    for (const folder of [old, recent]) await mkdir(folder ?? '', { recursive: true })
    const twoHoursAgo = Date.now() / 1000 - 7200
    await utimes(old ?? '', twoHoursAgo, twoHoursAgo)
    registry.list('tiny-model', tarball)
    await opened.store.ensure('tiny')
    expect(await unfinished()).toEqual(['pull-recent'])
  })
})
