import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addressPolicy } from '../../../agent/net/addresses.ts'
import { forOutputs } from '../../../agent/net/side.ts'
import { tlsTunnel } from '../../../agent/net/tls-tunnel.ts'

describe('the TLS tunnel', () => {
  it('goes nowhere that the address policy forbids', async () => {
    let met = 0
    const server = createServer(() => {
      met += 1
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const policy = addressPolicy({ deny: ['127.0.0.0/8'], allow: [], ownPorts: [] }, forOutputs)
    const tunnel = await tlsTunnel(new URL(`rtsps://eve:secret@127.0.0.1:${port}/live`), policy)
    onTestFinished(() => tunnel.close())
    expect(tunnel.url).toMatch(/^rtsp:\/\/eve:secret@127\.0\.0\.1:\d+\/live$/)
    const near = connect(Number(new URL(tunnel.url.replace('rtsp', 'http')).port), '127.0.0.1')
    near.on('error', () => undefined)
    await once(near, 'close')
    const error = tunnel.explained(new Error('the connection ended'))
    expect(error).toMatchObject({ code: 'SINK_FORBIDDEN' })
    expect(error.message).not.toContain('secret')
    expect(met).toBe(0)
  })
})
