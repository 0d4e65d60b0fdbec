import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newToken, tokenHash } from '../../../agent/access/tokens.ts'
import { editUsers } from '../../../agent/access/users-file.ts'
import type { Route } from '../../../schemas/route.ts'
import { type RouteName, routes } from '../../../schemas/routes.ts'
import { type User, type UserRole, userRoles } from '../../../schemas/users.ts'
import { undocumented } from '../../e2e/documented-statuses.ts'
import { type AgentDoor, agentDoor, problemIn, upgraded } from './agent-door.ts'

let door: AgentDoor
let file: string
const tokens = Object.fromEntries(userRoles.map((role) => [role, newToken()])) as Record<
  UserRole,
  string
>

beforeAll(async () => {
  file = join(mkdtempSync(join(tmpdir(), 'heliograph-users-')), 'users.json')
  const users = userRoles.map((role) => ({ name: role, role, tokens: [tokenHash(tokens[role])] }))
  await editUsers(file, () => users)
  door = await agentDoor({ 'users.file': file })
})
afterAll(() => door.agent.stop())

const all = Object.entries(routes) as [RouteName, Route][]
const pathOf = ({ path }: Route) => path.replace('{service}', 'nobody')
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

const forAnyone = all.filter(([, { role }]) => role === 'anyone')
const forUsers = all.filter(([, { role }]) => role !== 'anyone')

describe('where there are users', () => {
  it.each([...forAnyone.map(([name]) => name), 'GET /', 'GET /docs', 'GET /docs/events'])(
    '%s is for anyone',
    async (name) => {
      const { status } = await door.ask(name.slice(4))
      expect([401, 403]).not.toContain(status)
      expect(status).not.toBe(404)
    },
  )

  it.each(forUsers)('%s is for its role and above', async (_name, route) => {
    const { method, role } = route
    const ask = (token?: string) =>
      door.ask(pathOf(route), { method, ...(token ? bearer(token) : {}) })
    const least = userRoles.indexOf(role as UserRole)
    expect(least).toBeGreaterThanOrEqual(0)
    const nobody = await ask()
    expect(nobody.status).toBe(401)
    expect(nobody.headers.get('www-authenticate')).toBe('Bearer realm="heliograph"')
    expect(await problemIn(nobody)).toMatchObject({ code: 'NOT_AUTHORIZED' })
    for (const [index, has] of userRoles.entries()) {
      const { status } = await ask(tokens[has])
      if (index < least) expect(status, has).toBe(403)
      else expect([401, 403], has).not.toContain(status)
    }
  })

  it('a token that is not known is told apart from none', async () => {
    const answer = await door.ask('/info', bearer(newToken()))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it.each(['Basic YWRtaW46YWRtaW4=', 'Bearer', 'Bearer a b', `bearer ${'x'.repeat(5000)}`, 'x'])(
    'Authorization: %.20s is no token',
    async (authorization) => {
      expect((await door.ask('/info', { headers: { authorization } })).status).toBe(401)
    },
  )

  it('paths where nothing is are not told to strangers', async () => {
    expect((await door.ask('/nothing')).status).toBe(401)
    expect((await door.ask('/nothing', bearer(tokens.viewer))).status).toBe(404)
    const post = { method: 'POST', ...bearer(tokens.operator) }
    expect((await door.ask('/nothing', post)).status).toBe(403)
  })

  it('a token in the URL opens no route', async () => {
    expect((await door.ask(`/info?access_token=${tokens.admin}`)).status).toBe(401)
  })

  it('a user that is added or removed is known at the next request', async () => {
    const token = newToken()
    const late: User = { name: 'late', role: 'viewer', tokens: [tokenHash(token)] }
    expect((await door.ask('/info', bearer(token))).status).toBe(401)
    await editUsers(file, (users) => [...users, late])
    expect((await door.ask('/info', bearer(token))).status).toBe(200)
    await editUsers(file, (users) => users.filter(({ name }) => name !== 'late'))
    expect((await door.ask('/info', bearer(token))).status).toBe(401)
  })

  it("an idempotency key is its user's own", async () => {
    const add = (token: string, service: string) =>
      door.ask('/services', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'one' },
        body: JSON.stringify({ service }),
      })
    const token = newToken()
    const second: User = { name: 'second', role: 'admin', tokens: [tokenHash(token)] }
    await editUsers(file, (users) => [...users, second])
    expect((await add(tokens.admin, 'mine')).status).toBe(201)
    expect((await add(tokens.admin, 'another')).status).toBe(422)
    expect((await add(token, 'theirs')).status).toBe(201)
  })

  it('live video is for viewers, who may name their token in the URL or the head', async () => {
    const url = `${door.origin.replace('http', 'ws')}/services/gate/live/door`
    const nobody = await upgraded(url)
    expect(nobody.status).toBe(401)
    expect(JSON.parse(nobody.body)).toMatchObject({ code: 'NOT_AUTHORIZED' })
    expect((await upgraded(`${url}?access_token=${newToken()}`)).status).toBe(401)
    expect((await upgraded(`${url}?access_token=${tokens.viewer}`)).status).toBe(404)
    expect((await upgraded(url, bearer(tokens.viewer))).status).toBe(404)
  })

  it('tokens are in no answer and on no topic', async () => {
    const path = `/x?access_token=${tokens.admin}`
    const answer = await door.ask(path, bearer(tokens.admin))
    expect(answer.status).toBe(404)
    expect(await answer.text()).not.toContain(tokens.admin)
    const said = JSON.stringify(door.agent.heard)
    expect(said.length).toBeGreaterThan(100)
    for (const token of Object.values(tokens)) expect(said).not.toContain(token)
  })
})

it('only statuses were answered that the OpenAPI document names', async () => {
  expect(await undocumented(door.origin, tokens.viewer)).toEqual([])
})
