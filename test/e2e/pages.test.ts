import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, startAgentUnderTest } from './agent-under-test.ts'

let agent: AgentUnderTest

beforeAll(async () => {
  agent = await startAgentUnderTest()
})
afterAll(async () => {
  await agent.stop()
})

const get = (path: string) => fetch(`${agent.running.addresses.http}${path}`)
/** What `fetch` would mend first: the path as it is, and any `Host`. */
function raw(path: string, headers = {}) {
  const { hostname, port } = new URL(agent.running.addresses.http)
  return new Promise<{ status: number | undefined; type: string | undefined }>(
    (resolve, reject) => {
      const sent = request({ hostname, port, path, headers }, (response) => {
        response.resume()
        resolve({ status: response.statusCode, type: response.headers['content-type'] })
      })
      sent.on('error', reject).end()
    },
  )
}

const pages = ['/', '/docs', '/docs/', '/docs/events', '/docs/assets/page.css']

describe('the pages of an agent', () => {
  it.each(pages)(
    '%s may load nothing from elsewhere and run no script of its own text',
    async (path) => {
      const response = await get(path)
      expect(response.status).toBe(200)
      const policy = response.headers.get('content-security-policy') ?? ''
      const directives = new Map(
        policy.split(';').map((one) => {
          const [name = '', ...values] = one.trim().split(' ')
          return [name, values]
        }),
      )
      expect(directives.get('default-src')).toEqual(["'none'"])
      expect(directives.get('script-src')).toEqual(["'self'"])
      expect(directives.get('style-src')).toEqual(["'self'"])
      expect(directives.get('frame-ancestors')).toEqual(["'none'"])
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
    },
  )

  it.each(pages)('%s is not shown under a host name that is not known', async (path) => {
    const { status } = await raw(path, { host: 'attacker.example' })
    expect(status).toBe(403)
    expect((await get(path)).status).toBe(200)
  })

  it('names on its first page where else the agent listens', async () => {
    const text = await (await get('/')).text()
    const { mqtt, ws, rtsp } = agent.running.addresses
    for (const address of [mqtt, ws, rtsp, '/docs', '/docs/events', '/info']) {
      expect(text).toContain(address)
    }
  })

  it.each(['openapi', 'asyncapi'])('serves %s.json as it is checked in', async (name) => {
    const response = await get(`/${name}.json`)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await response.json()).toEqual(JSON.parse(readFileSync(`schemas/${name}.json`, 'utf8')))
  })

  it.each(['/docs/static/../../package.json', '/docs/static/nothing.js', '/docs/nothing'])(
    'answers %s with a problem',
    async (path) => {
      const { status, type } = await raw(path)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(type).toMatch(/^application\/problem\+json/)
    },
  )
})
