import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { gatekeeper } from '../../../agent/rtsp/auth.ts'
import type { RtspRequest } from '../../../agent/rtsp/request.ts'
import { type Answer, interleaved, type RtspClient, rtspClient } from './client.ts'
import { eagerStream, testServer } from './harness.ts'

const users = [
  { name: 'ada', password: 'pass:wörd' },
  { name: 'bob', password: 'secret' },
]
const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly stale: boolean
}

function challengeIn(text: string): Challenge {
  const [, realm = ''] = /realm="([^"]+)"/.exec(text) ?? []
  const [, nonce = ''] = /nonce="([^"]+)"/.exec(text) ?? []
  return { realm, nonce, stale: /stale=true/.test(text) }
}

interface Signed {
  readonly name: string
  readonly password: string
  readonly method: string
  readonly uri: string
}

/** RFC 2617, section 3.2.2.1, without `qop`. */
function digest({ realm, nonce }: Challenge, { name, password, method, uri }: Signed): string {
  const response = md5(`${md5(`${name}:${realm}:${password}`)}:${nonce}:${md5(`${method}:${uri}`)}`)
  return `Digest username="${name}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`
}

async function guarded(limits: Parameters<typeof testServer>[1] = {}) {
  const server = await testServer({ users }, { wrongPasswordMs: 1, ...limits })
  eagerStream(server)
  const client = await rtspClient(server.port)
  const { url } = server
  const ask = (authorization?: string, method = 'DESCRIBE', at = url): Promise<Answer> =>
    client.ask(method, at, authorization === undefined ? {} : { Authorization: authorization })
  const challenge = async () => challengeIn((await ask()).headers.get('www-authenticate') ?? '')
  return { server, client, url, ask, challenge }
}

describe('a server with users', () => {
  it('asks everyone who they are, the strongest way first, and tells them nothing else', async () => {
    const { client, ask, url } = await guarded()
    for (const at of [url, `${url}-that-is-not-there`]) {
      const { status, headers } = await ask(undefined, 'DESCRIBE', at)
      expect(status).toBe(401)
      const offers = headers.get('www-authenticate')?.split('\n') ?? []
      expect(offers.map((offer) => offer.split(' ')[0])).toEqual(['Digest', 'Basic'])
    }
    expect((await ask(undefined, 'OPTIONS')).status).toBe(200)
    expect((await client.ask('SETUP', url, interleaved)).status).toBe(401)
  })

  it.each(users)('lets $name in by basic authentication', async ({ name, password }) => {
    const { ask } = await guarded()
    expect((await ask(basic(`${name}:${password}`))).status).toBe(200)
  })

  it.each(users)('lets $name in by digest authentication', async (user) => {
    const { ask, challenge, url } = await guarded()
    const given = await challenge()
    for (const uri of [url, `${url}/`, `${url}/trackID=0`]) {
      const signed = { ...user, method: 'DESCRIBE', uri }
      expect((await ask(digest(given, signed))).status).toBe(200)
    }
  })

  it('refuses what is not right', async () => {
    const { ask, challenge, url } = await guarded({ wrongPasswords: 100 })
    const given = await challenge()
    const signed = { name: 'bob', password: 'secret', method: 'DESCRIBE', uri: url }
    const wrong = [
      ...['bob:wrong', 'bob:', ':', 'bob', 'ada:secret', 'eve:secret', ''].map(basic),
      digest(given, { ...signed, password: 'wrong' }),
      digest(given, { ...signed, name: 'eve' }),
      digest(given, { ...signed, method: 'PLAY' }),
      digest(given, { ...signed, uri: `${url}2` }),
      digest({ ...given, realm: 'other' }, signed),
      digest(given, signed).replace(/response="..../, 'response="0000'),
      'Digest',
      'Basic',
      'Bearer secret',
      '',
    ]
    for (const header of wrong) expect([header, (await ask(header)).status]).toEqual([header, 401])
    expect((await ask(digest(given, signed))).status).toBe(200)
  })

  it('takes a number used once from the connection that it was given to only', async () => {
    const { server, challenge, url } = await guarded()
    const given = await challenge()
    const other: RtspClient = await rtspClient(server.port)
    const signed = { name: 'bob', password: 'secret', method: 'DESCRIBE', uri: url }
    const header = { Authorization: digest(given, signed) }
    const { status, headers } = await other.ask('DESCRIBE', url, header)
    expect(status).toBe(401)
    const next = challengeIn(headers.get('www-authenticate') ?? '')
    expect(next.stale).toBe(true)
    const again = { Authorization: digest(next, signed) }
    expect((await other.ask('DESCRIBE', url, again)).status).toBe(200)
  })

  it('closes the connection after some wrong passwords, and says so', async () => {
    const { server, client, ask } = await guarded({ wrongPasswords: 3 })
    for (let count = 0; count < 3; count++) expect((await ask(basic('bob:no'))).status).toBe(401)
    await client.closed
    await server.lines.until((lines) => lines.some(({ fields }) => 'wrongPasswords' in fields))
    expect(JSON.stringify(server.lines.items)).not.toContain('secret')
  })
})

describe('a gatekeeper', () => {
  const request = (authorization: string): RtspRequest => ({
    ...{ method: 'PLAY', url: 'rtsp://h/a', cseq: '1', body: Buffer.alloc(0) },
    headers: new Map([['authorization', authorization]]),
  })
  const signed = { name: 'bob', password: 'secret', method: 'PLAY', uri: 'rtsp://h/a' }

  it('forgets its numbers after a time', async () => {
    const gate = gatekeeper(users, 40)
    const [[, text]] = gate.challenges('none') as [[string, string]]
    const header = digest(challengeIn(text), signed)
    expect(gate.judge(request(header))).toBe('welcome')
    const made = performance.now()
    await expect.poll(() => gate.judge(request(header)), { interval: 5 }).toBe('stale')
    expect(performance.now() - made).toBeGreaterThan(30)
    const [[, next]] = gate.challenges('stale') as [[string, string]]
    expect(challengeIn(next).nonce).not.toBe(challengeIn(text).nonce)
    expect(gate.judge(request(digest(challengeIn(next), signed)))).toBe('welcome')
  })

  it('takes no number that it did not give', () => {
    const gate = gatekeeper(users, 1000)
    const forged = { realm: 'Heliograph', nonce: '', stale: false }
    expect(gate.judge(request(digest(forged, signed)))).toBe('stale')
  })

  it('welcomes everyone where there are no users', () => {
    expect(gatekeeper([], 1000).judge(request('Basic !!'))).toBe('welcome')
  })
})
