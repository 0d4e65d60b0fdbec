import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newToken, tokenHash } from '../../agent/access/tokens.ts'
import { editUsers } from '../../agent/access/users-file.ts'
import { selfSigned } from '../agent/http/self-signed.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from '../e2e/agent-under-test.ts'
import { type Document, type Operation, operationsOf } from '../schemas/openapi-document.ts'
import { type BrowserPage, openBrowser } from './browser.ts'
import { needs } from './needs.ts'
import { type Filled, openSwagger, type SwaggerPage } from './swagger-page.ts'

const openApi: Document = JSON.parse(readFileSync('schemas/openapi.json', 'utf8'))

/** One call as the page offers it. */
interface Try {
  readonly name: string
  readonly operation: Operation
  readonly filled: Filled
}

/** The uploads that are tried: of a picture as it is, and in a form. */
const uploads = ['image/jpeg', 'multipart/form-data']

/** A call costs the page more than a second: of each kind one is tried, and all of them by `npm run soak -- --only docs`. */
const short = ['POST /services', 'GET /input', 'PATCH /output', 'POST /compute'].concat([
  'GET /events',
  'DELETE /services/{service}',
])
const isLong = process.env.HELIOGRAPH_EVERY_CALL === '1'

/**
 * Operations, as the page fills them in; uploads in both ways. Service `door` is made first and goes last; what
 * makes it busy comes late, since the page needs the processor, too.
 */
function tries(): Try[] {
  const order = [/^POST .services /, /^GET /, /^P/, /^DELETE /]
  const rank = ({ name }: Try) => order.findIndex((pattern) => pattern.test(name))
  return operationsOf(openApi)
    .filter(({ name }) => isLong || short.includes(name))
    .flatMap(({ name, operation }): Try[] => {
      const all = Object.keys(operation.requestBody?.content ?? {})
      const files = all.filter((type) => uploads.includes(type))
      const file = media('dog.jpg')
      if (files.length > 0) return files.map((mediaType) => as(mediaType, { mediaType, file }))
      const [mediaType] = all
      return [mediaType === undefined ? as('', {}) : as(mediaType, { mediaType })]

      function as(how: string, filled: Filled): Try {
        return { name: `${name} ${how}`, operation, filled }
      }
    })
    .toSorted((one, other) => rank(one) - rank(other))
}

/** Statuses of an operation that are no problems. */
const ownStatuses = ({ responses }: Operation) =>
  Object.keys(responses)
    .filter((status) => responses[status]?.$ref === undefined)
    .map(Number)

/** What Chromium says of every answer that is a problem. */
const failedToLoad = (status: number) =>
  new RegExp(`^Failed to load resource: .* status of ${status} `)

describe.skipIf(!needs('chromium', 'chromium'))('Swagger UI at /docs', () => {
  let agent: AgentUnderTest
  let page: BrowserPage
  let swagger: SwaggerPage

  beforeAll(async () => {
    agent = await startAgentUnderTest()
    page = await openBrowser()
    swagger = await openSwagger(page, agent.running.addresses.http)
  })
  afterAll(async () => {
    await page?.close()
    await agent?.stop()
  })

  /** Tries a call, to which the page must have no objection. */
  async function tried(operation: Operation, filled: Filled = {}) {
    const before = page.complaints.length
    const shown = await swagger.tryOut(operation.operationId, filled)
    expect(shown.isUndocumented, shown.body).toBe(false)
    const complaints = page.complaints.slice(before)
    expect(complaints.filter((one) => !failedToLoad(shown.status).test(one))).toEqual([])
    return shown
  }

  it('shows every operation of the document', async () => {
    const document = await fetch(`${agent.running.addresses.http}/openapi.json`)
    expect(await document.json()).toEqual(openApi)
    expect(await swagger.count()).toBe(operationsOf(openApi).length)
    expect(page.complaints).toEqual([])
  })

  it.each(tries())('carries out $name', async ({ operation, filled }) => {
    const { status, body } = await tried(operation, filled)
    expect(ownStatuses(operation), body).toContain(status)
  })

  it('shows the problem that there is no service', async () => {
    const operation = operationsOf(openApi).find(({ name }) => name === 'GET /input')?.operation
    expect(await tried(operation as Operation)).toMatchObject({
      status: 404,
      body: expect.stringContaining('urn:heliograph:error:NOT_FOUND'),
    })
  })

  it('shows how a stream of events begins', async () => {
    const events = operationsOf(openApi).find(({ name }) => name === 'GET /events')
    const { body } = await tried(events?.operation as Operation)
    expect(body).toContain('event: $info')
  })
})

describe.skipIf(!needs('chromium', 'chromium'))('where there are users, and TLS', () => {
  const token = { viewer: newToken(), admin: newToken() }
  let agent: AgentUnderTest
  let page: BrowserPage

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heliograph-users-'))
    const [users, cert, key] = ['users.json', 'cert.pem', 'key.pem'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    await editUsers(users, () => [
      { name: 'viewer', role: 'viewer', tokens: [tokenHash(token.viewer)] },
      { name: 'admin', role: 'admin', tokens: [tokenHash(token.admin)] },
    ])
    selfSigned(cert, key)
    agent = await startAgentUnderTest({
      'users.file': users,
      'http.tls.certFile': cert,
      'http.tls.keyFile': key,
    })
    page = await openBrowser('--ignore-certificate-errors')
  })
  afterAll(async () => {
    await page?.close()
    await agent?.stop()
  })

  it('Swagger UI says that a token is missing, takes one, and may do what its role may', async () => {
    const { http } = agent.running.addresses
    expect(http).toMatch(/^https:/)
    const swagger = await openSwagger(page, http)
    const refused = expect.stringContaining('urn:heliograph:error:NOT_AUTHORIZED')
    expect(await swagger.tryOut('getInfo')).toMatchObject({ status: 401, body: refused })
    await swagger.authorize(token.viewer)
    expect(await swagger.tryOut('getInfo')).toMatchObject({ status: 200 })
    expect(await swagger.tryOut('postServices')).toMatchObject({ status: 403, body: refused })
    await swagger.authorize(token.admin)
    expect(await swagger.tryOut('postServices')).toMatchObject({ status: 201 })
    const told = page.complaints.map((one) => /status of (\d{3}) /.exec(one)?.[1] ?? one)
    expect(told).toEqual(['401', '403'])
  }, 60_000)

  it('the page of events works, and the console stays empty', async () => {
    const before = page.complaints.length
    await page.open(`${agent.running.addresses.http}/docs/events`)
    expect(await page.evaluate(`document.querySelectorAll('article').length`)).toBeGreaterThan(10)
    expect(await page.evaluate(`document.styleSheets[0].cssRules.length`)).toBeGreaterThan(10)
    expect(page.complaints.slice(before)).toEqual([])
  })
})
