import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawConnection, rawRequest } from '../../raw-connection.ts'
import { type AgentProcess, agentProcess } from './agent-process.ts'

let agent: AgentProcess
beforeAll(async () => {
  agent = await agentProcess(['http.limits.headersMs=1000'])
})
afterAll(() => agent.stop())

const asking = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
const mqtt = [...asking, 'Sec-WebSocket-Protocol: mqtt']
const without = (name: string) => mqtt.filter((field) => !field.startsWith(name))
const key = 'Sec-WebSocket-Key: '
const host = 'Host: localhost\r\n'

/** A frame of a client, masked by zeros. @param head its first byte, and its second without the mask's bit */
const frame = (head: readonly [number, number], rest: readonly number[] = []) =>
  Buffer.from([head[0], head[1] | 0x80, ...rest])
const mask = [0, 0, 0, 0]
const fragments = Buffer.concat([
  frame([0x02, 0], mask),
  ...Array.from({ length: 20_000 }, () => frame([0x00, 0], mask)),
])

const doors = [
  { door: '/mqtt', path: '/mqtt' },
  { door: 'live video', path: '/services/gate/live/door' },
]
/** Refusals come before the path is looked at, so that both doors must give the same. */
const refused: readonly (readonly [attack: string, fields: readonly string[], status: number])[] = [
  ['a page of others', [...mqtt, 'Origin: https://evil.example'], 403],
  ['a page of nobody', [...mqtt, 'Origin: null'], 403],
  ['a page at another port', [...mqtt, 'Origin: http://localhost:1'], 403],
  ['two hosts', [...mqtt, 'Host: evil.example'], 400],
  ['a head of 100 KB', [...mqtt, `X: ${'x'.repeat(100_000)}`], 431],
  ['two lengths', [...mqtt, 'Content-Length: 1', 'Content-Length: 2'], 400],
]

describe.each(doors)('an upgrade at $door', ({ path }) => {
  it.each(refused)('by %s is refused, and others are served', async (_, fields, status) => {
    expect(await agent.says(rawRequest(`GET ${path}`, fields))).toBe(status)
    await agent.serves()
  })

  it.each([
    [
      'a host of others',
      `GET ${path} HTTP/1.1\r\nHost: evil.example\r\n${mqtt.join('\r\n')}\r\n\r\n`,
    ],
    ['no host', `GET ${path} HTTP/1.1\r\n${mqtt.join('\r\n')}\r\n\r\n`],
    ['dots', rawRequest(`GET /x/..${path}`, mqtt)],
    [
      'another target',
      `GET http://evil.example${path} HTTP/1.1\r\n${host}${mqtt.join('\r\n')}\r\n\r\n`,
    ],
    ['another method', rawRequest(`POST ${path}`, mqtt)],
    ['no key', rawRequest(`GET ${path}`, without(key))],
    ['a wrong key', rawRequest(`GET ${path}`, [...without(key), `${key}x`])],
    ['an old version', rawRequest(`GET ${path}`, [...mqtt, 'Sec-WebSocket-Version: 7'])],
    ['another protocol', rawRequest(`GET ${path}`, [...without('Upgrade'), 'Upgrade: tls/1.0'])],
    ['no upgrade', rawRequest(`GET ${path}`)],
  ])('by %s opens nothing, and others are served', async (_, bytes) => {
    const status = await agent.says(bytes)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    await agent.serves()
  })

  it('that never ends its head is given up', async () => {
    const { send, closed } = await rawConnection(agent.httpPort)
    await send(`GET ${path} HTTP/1.1\r\n${host}${asking.join('\r\n')}\r\n`)
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /)
    await agent.serves()
  })
})

describe('a WebSocket at /mqtt', () => {
  it.each([
    ['an unmasked frame', Buffer.from([0x82, 1, 0])],
    ['a reserved opcode', frame([0x83, 0], mask)],
    ['reserved bits', frame([0xf2, 0], mask)],
    ['a frame of 2^63 bytes', frame([0x82, 127], [0x7f, ...Array(7).fill(255), ...mask])],
    ['a frame of 2 GB', frame([0x82, 127], [0, 0, 0, 0, 0x80, 0, 0, 0, ...mask])],
    ['a ping of 64 KB', frame([0x89, 126], [0xff, 0xff, ...mask])],
    ['20,000 empty fragments', fragments],
    ['a continuation of nothing', frame([0x80, 0], mask)],
    ['text', Buffer.concat([frame([0x81, 1], mask), Buffer.from('x')])],
    [
      'a length of MQTT that never ends',
      frame([0x82, 6], [...mask, 0x10, 255, 255, 255, 255, 255]),
    ],
    ['a close of one byte', frame([0x88, 1], [...mask, 0])],
  ])('that sends %s is closed, and others are served', async (_, bytes) => {
    const before = await agent.memoryMb()
    const { send, answers, closed, socket } = await rawConnection(agent.httpPort)
    await send(rawRequest('GET /mqtt', mqtt))
    expect((await answers(1))[0]?.status).toBe(101)
    await send(bytes)
    socket.end()
    await closed
    await agent.serves()
    expect((await agent.memoryMb()) - before).toBeLessThan(20)
  })
})
