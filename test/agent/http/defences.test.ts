import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Route } from '../../../schemas/route.ts'
import { type RouteName, routes } from '../../../schemas/routes.ts'
import { undocumented } from '../../e2e/documented-statuses.ts'
import { rawConnection } from '../../raw-connection.ts'
import { type AgentDoor, agentDoor, problemIn, upgraded } from './agent-door.ts'

let door: AgentDoor
const page = 'https://plant.example'
beforeAll(async () => {
  const allowed = { 'http.allowedOrigins': page, 'http.allowedHosts': 'edge.local' }
  door = await agentDoor({ ...allowed, 'http.limits.bodyBytes': '1000' })
})
afterAll(() => door.agent.stop())

const all = Object.entries(routes) as [RouteName, Route][]
const pathOf = ({ path }: Route) => path.replace('{service}', 'nobody')

/** `fetch` keeps the names of hosts to itself. */
async function statusFor(method: string, path: string, fields: readonly string[]): Promise<number> {
  const { send, answers } = await rawConnection(door.port)
  await send(`${method} ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
  return (await answers(1))[0]?.status ?? 0
}

describe('every route', () => {
  it.each(all)('%s refuses hosts and pages that are not listed', async (_name, route) => {
    const { method } = route
    const path = pathOf(route)
    expect(await statusFor(method, path, ['Host: evil.example'])).toBe(403)
    expect(await statusFor(method, path, ['Host: localhost', 'Origin: https://evil.example'])).toBe(
      403,
    )
    expect(await statusFor(method, path, ['Host: edge.local', `Origin: ${page}`])).not.toBe(403)
  })

  it.each(all)('%s refuses bodies that are packed', async (_name, route) => {
    if (route.method === 'GET') return
    const headers = { 'content-encoding': 'gzip' }
    const answer = await door.ask(pathOf(route), { method: route.method, headers, body: 'x' })
    expect(answer.status).toBe(415)
    expect(answer.headers.get('accept-encoding')).toBe('identity')
  })
})

describe('an answer', () => {
  it.each([
    ['that is fine', '/info', 200],
    ['that is a problem', '/nowhere', 404],
  ])('%s keeps browsers from being used', async (_, path, status) => {
    const answer = await door.ask(path)
    expect(answer.status).toBe(status)
    const fields = Object.fromEntries(answer.headers)
    expect(fields).toMatchObject({
      'content-security-policy':
        "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
      'cache-control': 'no-store',
      vary: 'Origin',
    })
    for (const name of ['server', 'x-powered-by', 'strict-transport-security', 'set-cookie']) {
      expect(fields, name).not.toHaveProperty(name)
    }
  })

  it('to a method that a path has not names those that it has', async () => {
    const answer = await door.ask('/services/gate/input', { method: 'POST' })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, HEAD, PUT, PATCH')
    expect((await problemIn(answer)).detail).toContain('allowed: GET, HEAD, PUT, PATCH')
    const asked = await door.ask('/info/', { method: 'OPTIONS' })
    expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'GET, HEAD'])
  })

  it('that refuses a large body names the limit', async () => {
    const answer = await door.ask('/input', { method: 'PUT', body: 'x'.repeat(1001) })
    expect(answer.status).toBe(413)
    expect((await problemIn(answer)).detail).toContain('http.limits.bodyBytes')
  })

  it.each(['/%c0%ae', `/services/${'a'.repeat(300)}`])('to %.20s is a problem', async (path) => {
    const answer = await door.ask(path)
    expect([400, 414]).toContain(answer.status)
    expect(await problemIn(answer)).toMatchObject({
      code: 'MESSAGE_INVALID',
      instance: path.slice(0, 300),
    })
  })
})

describe('a page', () => {
  const preflight = (origin: string, method = 'PUT') =>
    door.ask('/input', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method },
    })

  it('that is listed may ask and read answers, without ambient credentials', async () => {
    const asked = await preflight(page)
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe(page)
    expect(asked.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization')
    expect(asked.headers.has('access-control-allow-credentials')).toBe(false)
    const answer = await door.ask('/nowhere', { headers: { origin: page } })
    expect(answer.headers.get('access-control-allow-origin')).toBe(page)
    expect(answer.headers.get('access-control-expose-headers')).toContain('etag')
  })

  it.each([
    'https://evil.example',
    'null',
    'https://plant.example.evil.example',
    'http://plant.example',
  ])('of %s is told nothing', async (origin) => {
    for (const answer of [
      await preflight(origin),
      await door.ask('/info', { headers: { origin } }),
    ]) {
      expect(answer.status).toBe(403)
      expect(answer.headers.has('access-control-allow-origin')).toBe(false)
    }
  })

  it.each(['/mqtt', '/services/gate/live/door', '/nowhere'])(
    'of others may not open a WebSocket at %s',
    async (path) => {
      const url = `${door.origin.replace('http', 'ws')}${path}`
      const { status, body } = await upgraded(url, { origin: 'https://evil.example' }, ['mqtt'])
      expect(status).toBe(403)
      expect(JSON.parse(body).detail).toContain('http.allowedOrigins')
      expect((await upgraded(url, { headers: { Host: 'evil.example' } }, ['mqtt'])).status).toBe(
        403,
      )
    },
  )
})

it('only statuses were answered that the OpenAPI document names', async () => {
  expect(await undocumented(door.origin)).toEqual([])
})
