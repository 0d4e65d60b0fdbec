import { mkdtempSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import mqtt from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAgentUnderTest } from '../../e2e/agent-under-test.ts'
import { rawConnection, rawRequest } from '../../raw-connection.ts'
import { heliograph } from '../cli/heliograph.ts'
import { type AgentDoor, agentDoor } from './agent-door.ts'
import { selfSigned } from './self-signed.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliograph-tls-'))
const certFile = join(folder, 'cert.pem')
const keyFile = join(folder, 'key.pem')

let door: AgentDoor
let ca: Buffer
beforeAll(async () => {
  ca = selfSigned(certFile, keyFile)
  door = await agentDoor({ 'http.tls.certFile': certFile, 'http.tls.keyFile': keyFile })
})
afterAll(() => door.agent.stop())

/** Of `GET /info`, by a client that trusts `ca` only. */
function info(): Promise<{ headers: Record<string, unknown>; addresses: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    get(`${door.origin}/info`, { ca, agent: false }, async (response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ headers: response.headers, ...JSON.parse(body) })
    }).on('error', reject)
  })
}

describe('under TLS', () => {
  it('addresses say so, and browsers are told to come back encrypted', async () => {
    const { headers, addresses } = await info()
    expect(addresses.http).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(addresses.ws).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/mqtt$/)
    expect(headers['strict-transport-security']).toBe('max-age=15552000')
  })

  it('MQTT over WebSocket works at the address that is told', async () => {
    const { addresses } = await info()
    const client = await mqtt.connectAsync(addresses.ws ?? '', { ca, reconnectPeriod: 0 })
    expect(client.connected).toBe(true)
    await client.endAsync()
  })

  it.each(['http', 'ws'] as const)('ctl drives it by %s, once it trusts it', async (door) => {
    const url = (await info()).addresses[door] ?? ''
    const args = ['ctl', 'ping', '--url', url]
    const stranger = await heliograph(args)
    expect(stranger.code).toBe(1)
    expect(stranger.stderr).toContain('NODE_EXTRA_CA_CERTS=<file.pem>')
    const { stdout } = await heliograph(args, { NODE_EXTRA_CA_CERTS: certFile })
    expect(stdout).toContain('the agent answers')
  })

  it('plain HTTP gets nothing, and others are served', async () => {
    const { send, closed } = await rawConnection(door.port)
    await send(rawRequest('GET /info'))
    expect(await closed).not.toContain('HTTP/1.1 200')
    expect((await info()).addresses.http).toBe(door.origin)
  })

  it('a new certificate is in use soon after its files have changed, and a wrong one never', async () => {
    const served = () =>
      new Promise<string>((resolve, reject) => {
        const options = { port: door.port, host: '127.0.0.1', rejectUnauthorized: false }
        const socket = tlsConnect(options, () => {
          resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
          socket.destroy()
        })
        socket.on('error', reject)
      })
    const before = await served()
    const told = door.agent.next('$log', ({ message }) => /the old one stays/.test(message))
    writeFileSync(keyFile, 'no key')
    await told
    expect(await served()).toBe(before)
    ca = selfSigned(certFile, keyFile)
    await expect.poll(served, { timeout: 10_000 }).not.toBe(before)
    expect((await info()).addresses.http).toBe(door.origin)
  })
})

describe('a start with', () => {
  const other = { cert: join(folder, 'other.pem'), key: join(folder, 'other-key.pem') }
  it.each([
    ['no key', { certFile }, 'http.tls.keyFile is missing'],
    [
      'files that are not there',
      { certFile: '/no/c.pem', keyFile: '/no/k.pem' },
      '/no/c.pem: there is no such file',
    ],
    ['a key for another certificate', { certFile, keyFile: other.key }, 'for the certificate in'],
    ['a key as certificate', { certFile: keyFile, keyFile }, 'http.tls.certFile: '],
  ])('%s fails, and says what is wrong', async (_, files, message) => {
    selfSigned(other.cert, other.key)
    const settings = Object.fromEntries(
      Object.entries(files).map(([name, file]) => [`http.tls.${name}`, file]),
    )
    const error = await startAgentUnderTest(settings).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(error.message).toContain(message)
  })
})
