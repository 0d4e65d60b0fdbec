import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { needs } from '../interop/needs.ts'
import { ffprobe } from '../interop/rtsp-players.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'
import { undocumented } from './documented-statuses.ts'
import { type WebCaller, webCaller } from './web-caller.ts'

const clip = `file://${media('dog.mp4')}`

describe("the paper's interface over HTTP", () => {
  let agent: AgentUnderTest
  let call: WebCaller

  beforeAll(async () => {
    agent = await startAgentUnderTest()
    call = webCaller(agent.running)
  })
  afterAll(() => agent.stop())
  beforeEach(async () => {
    for (const { service } of (await call('GET', '/services')).body) {
      expect((await call('DELETE', `/services/${service}`)).status).toBe(204)
    }
  })

  const problem = (code: string, detail: string) => ({
    type: `urn:heliograph:error:${code}`,
    code,
    detail: expect.stringContaining(detail),
    cure: expect.any(String),
  })

  it('asks for a service where there is none, and which one where there are several', async () => {
    expect((await call('GET', '/input')).status).toBe(404)
    await call('POST', '/services', { service: 'north' })
    expect(await call('GET', '/input')).toMatchObject({ status: 200, body: {} })
    await call('POST', '/services', { service: 'south' })
    const { status, body } = await call('GET', '/input')
    expect({ status, body }).toMatchObject({
      status: 409,
      body: problem('CONFLICT', '/services/north'),
    })
    await call('POST', '/services', { service: 'default' })
    expect((await call('GET', '/input')).status).toBe(200)
  })

  it('takes an input as text, as JSON text and as a map, and shows it', async () => {
    await call('POST', '/services', { service: 'door' })
    for (const body of [clip, JSON.stringify(clip), JSON.stringify({ default: { url: clip } })]) {
      const put = await call('PUT', '/input', body, { 'content-type': 'text/plain' })
      expect(put).toMatchObject({ status: 200, body: { default: { url: clip, state: 'closed' } } })
      expect((await call('GET', '/input')).body).toEqual(put.body)
    }
  })

  it('replaces all by PUT and merges by PATCH', async () => {
    await call('POST', '/services', { service: 'door', input: { a: 'mqtt:a' }, compute: 'stop' })
    const patched = await call('PATCH', '/services/door/input', { b: 'mqtt:b' })
    expect(Object.keys(patched.body)).toEqual(['a', 'b'])
    const put = await call('PUT', '/services/door/input', { c: 'mqtt:c' })
    expect(Object.keys(put.body)).toEqual(['c'])
    expect(Object.keys((await call('GET', '/output')).body)).toEqual(['events', 'video'])
    const output = await call('PUT', '/output', { log: 'mqtt:' })
    expect(Object.keys(output.body)).toEqual(['log'])
    await call('PATCH', '/model', { options: { minScore: 0.7, maxItems: 3 } })
    const model = await call('PUT', '/model', { options: { minScore: 0.6 } })
    expect(model.body.options).toEqual({ minScore: 0.6 })
  })

  it('says over MQTT what was set over HTTP', async () => {
    const from = agent.heard.length
    await call('POST', '/services', { service: 'door' })
    await call('PUT', '/input', clip)
    const { value } = await agent.next('door/input', (inputs) => inputs.default?.url === clip, from)
    expect(value.default).toMatchObject({ url: clip })
  })

  it('answers what is wrong as a problem', async () => {
    await call('POST', '/services', { service: 'door' })
    const cases = [
      ['PUT', '/input', 'gopher://x', 422, problem('SOURCE_UNSUPPORTED', 'gopher')],
      ['PATCH', '/output', { x: 1 }, 400, problem('MESSAGE_INVALID', '/x must be string')],
      ['PUT', '/model', 'nothing-like-it', 404, problem('MODEL_UNKNOWN', 'nothing-like-it')],
      ['POST', '/services', { service: 'door' }, 409, problem('CONFLICT', 'there already')],
      ['GET', '/services/none', undefined, 404, problem('NOT_FOUND', 'known: door')],
      ['DELETE', '/services/none', undefined, 404, problem('NOT_FOUND', 'known: door')],
      ['PATCH', '/services/none', {}, 404, problem('NOT_FOUND', 'known: door')],
      ['GET', '/nowhere', undefined, 404, problem('NOT_FOUND', 'GET /nowhere')],
      ['PUT', '/services/door', '[]x', 400, problem('MESSAGE_INVALID', 'JSON')],
    ] as const
    for (const [method, path, body, status, answer] of cases) {
      const { headers, ...answered } = await call(method, path, body)
      expect(answered, `${method} ${path}`).toMatchObject({ status, body: { ...answer, status } })
      expect(headers.get('content-type')).toBe('application/problem+json')
    }
    expect((await call('GET', '/input')).body).toEqual({})
  })

  it('changes nothing for who saw another configuration', async () => {
    await call('POST', '/services', { service: 'door' })
    const { headers } = await call('GET', '/output')
    const tag = headers.get('etag') ?? ''
    const first = await call('PATCH', '/output', { a: 'mqtt:' }, { 'if-match': tag })
    expect(first.status).toBe(200)
    expect(first.headers.get('etag')).not.toBe(tag)
    const second = await call('PATCH', '/output', { b: 'mqtt:' }, { 'if-match': tag })
    expect(second.status).toBe(412)
    expect(Object.keys((await call('GET', '/output')).body)).not.toContain('b')
    const fresh = await call('PUT', '/services/door', {}, { 'if-none-match': '*' })
    expect(fresh.status).toBe(412)
    expect((await call('PUT', '/services/gate', {}, { 'if-none-match': '*' })).status).toBe(201)
  })

  it('does once what carries the same idempotency key', async () => {
    const key = { 'idempotency-key': 'k1' }
    const first = await call('POST', '/services', { service: 'door' }, key)
    const again = await call('POST', '/services', { service: 'door' }, key)
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body])
    expect((await call('POST', '/services', { service: 'gate' }, key)).status).toBe(422)
    const wrong = { 'idempotency-key': 'k2' }
    expect((await call('POST', '/services', { service: 'door' }, wrong)).status).toBe(409)
    await call('DELETE', '/services/door')
    expect((await call('POST', '/services', { service: 'door' }, wrong)).status).toBe(201)
  })

  it('names fields that it ignored', async () => {
    await call('POST', '/services', { service: 'door' })
    const body = { gate: { url: 'mqtt:a', colour: 'red' } }
    const { status, headers } = await call('PATCH', '/input', body)
    expect([status, headers.get('heliograph-ignored-fields')]).toEqual([200, '/gate/colour'])
  })

  it.skipIf(!needs('ffprobe', 'ffmpeg'))(
    'starts a video and answers at once where its stream is, which plays',
    async () => {
      await call('POST', '/services', { service: 'door' })
      await call('PUT', '/input', { gate: { url: clip, loop: true } })
      const { status, body } = await call('PUT', '/compute')
      expect(status).toBe(202)
      const { url } = body.streams['video/gate']
      expect(url).toBe(`${agent.running.addresses.rtsp}/door/video/gate`)
      expect(await ffprobe(url, 'tcp')).toMatchObject({ codec_name: 'h264', width: 1280 })
      expect((await call('GET', '/compute')).body).toMatchObject({
        compute: 'start',
        state: { state: 'running' },
        streams: { 'video/gate': { url, width: 1280 } },
      })
      expect(await call('PUT', '/compute', 'stop')).toMatchObject({
        status: 200,
        body: { compute: 'stop', streams: {} },
      })
    },
  )

  it('tells of models and of itself', async () => {
    const models = await call('GET', '/models')
    expect(models.body).toContainEqual(
      expect.objectContaining({ id: 'ssdlite-mobilenet-v2-coco', state: 'ready' }),
    )
    expect((await call('GET', '/info')).body).toMatchObject({ agent: 'lab', contract: 1 })
    expect((await call('GET', '/ping')).body).toEqual({
      boot: expect.any(String),
      at: expect.any(Number),
    })
  })

  it('answered only statuses that the OpenAPI document names', async () => {
    expect(await undocumented(agent.running.addresses.http)).toEqual([])
  })
})
