import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { accessOf, openAccess } from '../../../agent/access/access.ts'
import { newToken, tokenHash } from '../../../agent/access/tokens.ts'
import { editUsers } from '../../../agent/access/users-file.ts'
import type { AgentError } from '../../../agent/core/errors.ts'
import type { Role } from '../../../schemas/route.ts'
import { type UserRole, userRoles } from '../../../schemas/users.ts'
import { inbox, type LogLine, recorder } from '../../broker/harness.ts'

/** An agent's access with a user of each role, called after it. */
async function access() {
  const folder = await mkdtemp(join(tmpdir(), 'access-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'users.json')
  const tokens = Object.fromEntries(userRoles.map((role) => [role, newToken()])) as Record<
    UserRole,
    string
  >
  const users = userRoles.map((role) => ({ name: role, role, tokens: [tokenHash(tokens[role])] }))
  await editUsers(file, () => users)
  const lines = inbox<LogLine>()
  const alerts = inbox<AgentError | undefined>()
  const made = await accessOf(file, recorder(lines), alerts.add)
  onTestFinished(() => made.close())
  const ask = (token: string | undefined, role: Role, address = '10.0.0.1') =>
    made.admit({ token, role, address })
  return { file, tokens, lines, alerts, access: made, ask }
}

describe('a role', () => {
  it.each([
    ['viewer', ['anyone', 'viewer']],
    ['operator', ['anyone', 'viewer', 'operator']],
    ['admin', ['anyone', 'viewer', 'operator', 'admin']],
  ] as const)('%s may do %j', async (role, may) => {
    const { tokens, ask } = await access()
    for (const needed of ['anyone', ...userRoles] as const) {
      const answer = await ask(tokens[role], needed)
      const expected = (may as readonly Role[]).includes(needed) ? undefined : 403
      expect('status' in answer ? answer.status : undefined, needed).toBe(expected)
    }
  })
})

describe('who asks', () => {
  it('without a token is asked for one, except where anyone may', async () => {
    const { ask } = await access()
    expect(await ask(undefined, 'viewer')).toMatchObject({ status: 401 })
    expect(await ask(undefined, 'anyone')).toEqual({})
  })

  it('with a wrong token is answered late', async () => {
    const { ask } = await access()
    const before = performance.now()
    expect(await ask(newToken(), 'viewer')).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(performance.now() - before).toBeGreaterThan(200)
  })

  it('guesses is told to wait, and keeps nobody at the same address out', async () => {
    const { tokens, ask } = await access()
    await Promise.all(Array.from({ length: 10 }, () => ask(newToken(), 'viewer')))
    expect(await ask(newToken(), 'viewer')).toMatchObject({ status: 429, retryS: 60 })
    expect(await ask(newToken(), 'viewer', '10.0.0.2')).toMatchObject({ status: 401 })
    expect(await ask(tokens.viewer, 'viewer')).toMatchObject({ name: 'viewer' })
  })

  it('may do everything where there are no users', async () => {
    const demand = { token: undefined, role: 'admin', address: '10.0.0.1' } as const
    expect(await openAccess.admit(demand)).toEqual({})
  })
})

describe('a change of the users file', () => {
  it('holds for the very next request', async () => {
    const { file, tokens, ask } = await access()
    expect(await ask(tokens.viewer, 'viewer')).toMatchObject({ name: 'viewer' })
    await editUsers(file, (users) => users.filter(({ name }) => name !== 'viewer'))
    expect(await ask(tokens.viewer, 'viewer')).toMatchObject({ status: 401 })
    expect(await ask(tokens.admin, 'admin')).toMatchObject({ name: 'admin' })
  })

  it('ends what somebody has open who may no longer, and nothing else', async () => {
    const { file, tokens, access: made, ask } = await access()
    const ended = inbox<string>()
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const caller = await ask(tokens[role], 'viewer')
      if ('status' in caller) throw new Error('a good token was refused')
      const release = made.hold(caller, 'viewer', () => ended.add(role))
      if (role === 'admin') release()
    }
    await editUsers(file, (users) => users.filter(({ name }) => name === 'operator'))
    expect(await ended.until((names) => names.length > 0)).toEqual(['viewer'])
    await ask(tokens.operator, 'viewer')
    expect(ended.items).toEqual(['viewer'])
  })

  it('that damages it leaves things as they are, under an alert that goes when it is mended', async () => {
    const { file, tokens, alerts, ask } = await access()
    await writeFile(file, '{"users": [')
    expect(await ask(tokens.viewer, 'viewer')).toMatchObject({ name: 'viewer' })
    expect(alerts.items[0]).toMatchObject({ code: 'CONFIG_INVALID' })
    await writeFile(file, '{"users": []}')
    expect(await ask(tokens.viewer, 'viewer')).toMatchObject({ status: 401 })
    expect(alerts.items.at(-1)).toBeUndefined()
  })

  it('that lets others read it is warned of', async () => {
    const { file, tokens, lines, ask } = await access()
    await chmod(file, 0o644)
    await ask(tokens.viewer, 'viewer')
    expect(lines.items.find(({ level }) => level === 'warn')?.fields).toEqual({ file })
  })
})

it('makes tokens of 256 bits, of which the file holds hashes only', () => {
  const token = newToken()
  expect(Buffer.from(token.replace(/^hg_/, ''), 'base64url')).toHaveLength(32)
  expect(newToken()).not.toBe(token)
  expect(tokenHash(token)).toMatch(/^sha256:[0-9a-f]{64}$/)
})
