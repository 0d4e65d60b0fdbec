import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { editUsers, readUsers } from '../../../agent/access/users-file.ts'
import type { User } from '../../../schemas/users.ts'

const hash = `sha256:${'0a'.repeat(32)}`
const ann: User = { name: 'ann', role: 'operator', tokens: [hash] }

async function scratchFile(name = 'users.json', text?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'users-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, name)
  if (text !== undefined) await writeFile(file, text, { mode: 0o600 })
  return file
}

const failure = (work: Promise<unknown>) => work.then(() => undefined, String)

it.each(['users.json', 'users.yaml'])(
  '%s is made on first use, for its owner only',
  async (name) => {
    const file = await scratchFile(name)
    await editUsers(file, (users) => [...users, ann])
    expect(await readUsers(file)).toEqual({ users: [ann], exposed: false })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  },
)

it('keeps the comments at the top of a file in YAML', async () => {
  const file = await scratchFile('users.yaml', '# Ask Bo before you add one.\nusers: []\n')
  await editUsers(file, () => [ann])
  expect(await readFile(file, 'utf8')).toMatch(/^# Ask Bo before you add one\.\nusers:\n/)
})

it('tells that others may read the file', async () => {
  const file = await scratchFile('users.json', '{"users": []}')
  await chmod(file, 0o640)
  expect(await readUsers(file)).toEqual({ users: [], exposed: true })
})

it.each([
  ['{"users": [{"name": "ann", "role": "king"}]}', 'role'],
  ['{"users": [{"name": "a/b", "role": "admin"}]}', 'name'],
  ['{"users": [{"name": "a", "role": "admin", "tokens": ["hg_clear"]}]}', 'tokens'],
  ['{"users": [{"name": "a", "role": "admin", "token": "x"}]}', 'no field /users/0/token'],
  ['users: [', 'neither JSON nor YAML'],
  ['- name: a', 'object'],
  [
    '{"users": [{"name": "a", "role": "admin"}, {"name": "a", "role": "viewer"}]}',
    "two users are called 'a'",
  ],
])('refuses %j and names the file', async (text, reason) => {
  const file = await scratchFile('users.yaml', text)
  const message = await failure(readUsers(file))
  expect(message).toContain(reason)
  expect(message).toContain(file)
})

it('says which command makes a file that is missing', async () => {
  expect(await failure(readUsers('/nowhere/users.json'))).toContain('heliograph users add')
})

it('leaves the file as it was when the change fails, and may be edited again', async () => {
  const file = await scratchFile('users.json', JSON.stringify({ users: [ann] }))
  const refused = editUsers(file, () => {
    throw new Error('no')
  })
  expect(await failure(refused)).toContain('no')
  await editUsers(file, (users) => users)
  expect((await readUsers(file)).users).toEqual([ann])
})

it('lets one command edit at a time', async () => {
  const file = await scratchFile()
  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c'].map((name) => editUsers(file, (users) => [...users, { ...ann, name }])),
  )
  const done = outcomes.filter(({ status }) => status === 'fulfilled')
  expect(done.length).toBeGreaterThan(0)
  expect((await readUsers(file)).users).toHaveLength(done.length)
})
