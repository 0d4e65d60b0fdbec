import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tokenHash } from '../../../agent/access/tokens.ts'
import { heliograph, scratch, start } from './heliograph.ts'

it('adds users, shows each token once, lists and removes them', { timeout: 60_000 }, async () => {
  const file = join(await scratch(), 'users.json')
  const users = (...args: string[]) => heliograph(['users', ...args, '--file', file])
  const added = await users('add', 'ann', '--role', 'operator')
  expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hg_[\w-]{43}\n$/) })
  const again = await users('add', 'ann')
  expect(again.stdout).toMatch(/^hg_/)
  expect(again.stdout).not.toBe(added.stdout)
  const text = await readFile(file, 'utf8')
  expect(text).not.toContain(added.stdout.trim())
  expect(text).toContain(tokenHash(added.stdout.trim()))
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await users('list')).stdout).toBe('NAME  ROLE      TOKENS\nann   operator  2\n')
  const conflict = await users('add', 'ann', '--role', 'admin')
  expect(conflict).toMatchObject({ code: 1, stdout: '' })
  expect(conflict.stderr).toContain("'ann' is operator")
  expect((await users('remove', 'ann')).code).toBe(0)
  expect((await users('list')).stdout).toBe('NAME  ROLE      TOKENS\n')
  expect((await users('remove', 'ann')).stderr).toContain("no user 'ann' (known: none)")
})

it.each([
  [['add', 'a/b', '--role', 'viewer', '--file', 'f.json'], 'letters, digits'],
  [['add', 'ann', '--role', 'king', '--file', 'f.json'], 'viewer, operator, admin'],
  [['add', 'ann', '--file', 'f.json'], '--role must be one of'],
  [['add', 'ann', '--role', 'viewer'], 'users.file is not set'],
  [['list', '--file', '/nowhere/users.json'], 'heliograph users add'],
])('%j ends with 2 and says what is meant', async (args, expected) => {
  const { code, stdout, stderr } = await heliograph(['users', ...args])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(expected)
})

it('an agent that others reach without users says so in its log; with users and without TLS, that', {
  timeout: 60_000,
}, async () => {
  const data = await scratch()
  const file = join(data, 'users.json')
  const run = (...sets: string[]) => {
    const ports = ['--mqtt-port', '0', '--http-port', '0', '--rtsp-port', '0', '--data', data]
    return start(['run', ...ports, ...sets.flatMap((one) => ['--set', one])])
  }
  const open = run('http.host=0.0.0.0')
  await open.prints(/"level":"warn".*"setting":"users\.file"/)
  await open.prints(/agent ready/)
  open.process.kill('SIGTERM')
  await open.ended
  await heliograph(['users', 'add', 'ann', '--role', 'viewer', '--file', file])
  const clear = run('http.host=0.0.0.0', `users.file=${file}`)
  await clear.prints(/"level":"warn".*"setting":"http\.tls"/)
  clear.process.kill('SIGTERM')
  const { stderr } = await clear.ended
  expect(stderr).not.toContain('"setting":"users.file"')
})
