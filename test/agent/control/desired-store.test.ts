import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { desiredStore, type StoredState } from '../../../agent/control/desired-store.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'heliograph-'))
const state = (agent: string): StoredState => ({ version: 1, agent, services: {}, removed: {} })

describe('desiredStore', () => {
  it('has nothing before the first save', async () => {
    expect(await desiredStore(join(folder(), 'desired.json')).read()).toBeUndefined()
  })

  it('reads what it saved, in a file that only its owner reads', async () => {
    const file = join(folder(), 'deep', 'desired.json')
    await desiredStore(file).save(state('lab'))
    expect(await desiredStore(file).read()).toEqual(state('lab'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('keeps the last of many overlapping saves, and each resolves when it is on the disk', async () => {
    const file = join(folder(), 'desired.json')
    const store = desiredStore(file)
    const saves = Array.from({ length: 20 }, (_, index) => store.save(state(`agent-${index}`)))
    await Promise.all(saves)
    expect(JSON.parse(readFileSync(file, 'utf8')).agent).toBe('agent-19')
  })

  it.each(['{"version":1', '{"version":2}', '7'])(
    'refuses %s instead of starting from nothing',
    async (text) => {
      const file = join(folder(), 'desired.json')
      writeFileSync(file, text)
      await expect(desiredStore(file).read()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    },
  )
})
