import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import WebSocket from 'ws'
import { portTaken } from '../../agent/net/listen.ts'
import { listeningInodes, portHolder, programName } from '../../agent/net/port-holder.ts'
import { openWebServer } from '../../agent/net/web-server.ts'
import { anyWebPort } from '../web-config.ts'
import { client, inbox, recorder, testBroker } from './harness.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

/** Another program that holds a port. */
async function holder(): Promise<{ port: number; pid: number | undefined }> {
  const script =
    "const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  const [line] = await once(createInterface(child.stdout), 'line')
  return { port: Number(line), pid: child.pid }
}

describe('a taken port', () => {
  it('for MQTT is reported with its holder and the way out', async () => {
    const { port, pid } = await holder()
    const error = await testBroker({ port }).catch((caught) => caught)
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `port ${port} on 127.0.0.1 is taken by 'node' (pid ${pid}); choose another with --mqtt-port (or broker.port), or stop that program`,
    })
    expect(portTaken(error)).toBe(port)
  })

  it('for HTTP is reported with its holder and the way out', async () => {
    const { port, pid } = await holder()
    const error = await openWebServer({ ...anyWebPort, port }, recorder(inbox())).catch(
      (caught) => caught,
    )
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `port ${port} on 127.0.0.1 is taken by 'node' (pid ${pid}); choose another with --http-port (or http.port), or stop that program`,
    })
    expect(portTaken(error)).toBe(port)
  })

  it('is told from other failures', async () => {
    const error = await testBroker({ host: '192.0.2.1' }).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(error.message).toContain('broker.host must be an address of this machine')
    expect(portTaken(error)).toBeUndefined()
    expect(portTaken(new Error('x'))).toBeUndefined()
  })
})

describe('the addresses of the broker', () => {
  it('name the ports it got and can be connected to', async () => {
    const { addresses, ports } = await testBroker()
    expect(addresses).toEqual({
      mqtt: `mqtt://127.0.0.1:${ports.mqtt}`,
      ws: `ws://127.0.0.1:${ports.ws}/mqtt`,
    })
    await client(addresses.mqtt)
    await client(addresses.ws)
  })

  it.skipIf(!hasIpv6)('write IPv6 in brackets', async () => {
    const { addresses, ports } = await testBroker({ host: '::1', web: { host: '::1' } })
    expect(addresses).toEqual({
      mqtt: `mqtt://[::1]:${ports.mqtt}`,
      ws: `ws://[::1]:${ports.ws}/mqtt`,
    })
    const socket = new WebSocket(addresses.ws, 'mqtt')
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
  })
})

describe('who holds a port', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41001 1 0000000000000000 100 0 0 10 0',
    '   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41002 1 0000000000000000 100 0 0 10 0',
    '   2: 0100007F:075B 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 41003 1 0000000000000000 20 4 30 10 -1',
    '',
  ].join('\n')
  const table6 =
    '   0: 00000000000000000000000000000000:075B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   108        0 52001 1 0000000000000000 100 0 0 10 0'

  it('is read from the listening sockets of /proc/net/tcp and tcp6', () => {
    expect(listeningInodes(table, 1883)).toEqual(['41001'])
    expect(listeningInodes(table, 8080)).toEqual(['41002'])
    expect(listeningInodes(table6, 1883)).toEqual(['52001'])
    expect(listeningInodes(table, 1884)).toEqual([])
    expect(listeningInodes('', 1883)).toEqual([])
  })

  it.each([
    ['/usr/sbin/mosquitto\0-c\0/etc/mosquitto/mosquitto.conf\0', 'mosquitto'],
    ['nginx: master process /usr/sbin/nginx -g daemon on;', 'nginx'],
    ['node\0server.js\0', 'node'],
    ['', ''],
  ])('is named by its command line %j', (commandLine, name) => {
    expect(programName(commandLine)).toBe(name)
  })

  it('is nobody for a free port', async () => {
    expect(await portHolder(1)).toBeUndefined()
  })
})
