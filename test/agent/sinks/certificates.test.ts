import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { startReceiver } from '../../conformance/receiver.ts'
import { needs } from '../../interop/needs.ts'
import { mosquittoPeer } from './peers.ts'
import { temporaryFolder } from './surroundings.ts'

const installed = needs('mosquitto', 'mosquitto') && needs('openssl', 'openssl')

interface Pair {
  readonly certificate: string
  readonly key: string
}

/** A certificate that signs itself, for this machine. */
function selfSigned(folder: string): Pair {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1']
  const asked = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject]
  execFileSync('openssl', [...asked, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  return { certificate, key }
}

/** An https and a wss server at one port. */
async function webServer({ certificate, key }: Pair): Promise<number> {
  const options = { cert: readFileSync(certificate), key: readFileSync(key) }
  const server = createServer(options, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end())
  })
  const sockets = new WebSocketServer({ server })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate()
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** The ffmpeg program, taking a pushed stream, behind a server that speaks TLS for it. */
async function receiverBehindTls(protocol: 'rtsp' | 'rtmp', { certificate, key }: Pair) {
  const receiver = await startReceiver(protocol)
  const { port, pathname } = new URL(receiver.url.replace(/^rt.p/, 'http'))
  const front = createTlsServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    (far) => {
      const near = connect(Number(port), '127.0.0.1')
      pipeline(far, near, far, () => undefined)
    },
  )
  front.on('tlsClientError', () => undefined)
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  onTestFinished(() => void front.close())
  const address = front.address() as AddressInfo
  return { receiver, url: `${protocol}s://eve:secret@127.0.0.1:${address.port}${pathname}` }
}

/** What became of one result to each URL, in a process that trusts only whom `env` says. */
async function sent(urls: readonly string[], env: Readonly<Record<string, string>>) {
  const args = ['--import', 'tsx', 'test/agent/sinks/send-one.ts', ...urls]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...env },
  })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe.skipIf(!installed)('certificates', () => {
  it('are verified, by every sink that speaks TLS', async () => {
    const pair = selfSigned(temporaryFolder())
    const port = await webServer(pair)
    const broker = await mosquittoPeer({ tls: pair })
    await broker.start()
    onTestFinished(() => broker.kill())
    const urls = [`${broker.url}/x`, `https://127.0.0.1:${port}/x`, `wss://127.0.0.1:${port}/x`]
    const distrusted = await sent(urls, {})
    expect(distrusted).toHaveLength(3)
    for (const outcome of distrusted) expect(outcome).toMatch(/self-signed certificate/)
    const trusted = await sent(urls, { NODE_EXTRA_CA_CERTS: pair.certificate })
    expect(trusted).toEqual(['delivered', 'delivered', 'delivered'])
  })

  it.skipIf(!needs('ffmpeg', 'ffmpeg')).each(['rtsp', 'rtmp'] as const)(
    'are verified before video is pushed by %ss',
    async (protocol) => {
      const pair = selfSigned(temporaryFolder())
      const { receiver, url } = await receiverBehindTls(protocol, pair)
      const [distrusted] = await sent([url], {})
      expect(distrusted).toMatch(/self-signed certificate/)
      expect(distrusted).toMatch(new RegExp(`${protocol}s://.*127\\.0\\.0\\.1`))
      expect(distrusted).not.toContain('secret')
      expect(await sent([url], { NODE_EXTRA_CA_CERTS: pair.certificate })).toEqual(['delivered'])
      expect((await receiver.received()).times.length).toBe(1)
    },
    30_000,
  )
})
