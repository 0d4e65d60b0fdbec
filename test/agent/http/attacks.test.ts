import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { undocumented } from '../../e2e/documented-statuses.ts'
import { rawRequest } from '../../raw-connection.ts'
import { type AgentProcess, agentProcess } from './agent-process.ts'

let agent: AgentProcess
/** A body of 3 MB is read, decoded and parsed before the collector looks; what stays is judged over many. */
const MOST_MB = 40
beforeAll(async () => {
  agent = await agentProcess()
})
afterAll(() => agent.stop())

const host = 'Host: localhost\r\n'
const chunked = ['Transfer-Encoding: chunked']
const put = (body: string, headers: readonly string[] = []) =>
  rawRequest('PUT /services/a', [...headers, `Content-Length: ${Buffer.byteLength(body)}`], body)

/** Bytes on a connection, and the statuses that may answer them. */
type Row = readonly [attack: string, bytes: string, ...statuses: number[]]

const smuggling: readonly Row[] = [
  [
    'two lengths',
    rawRequest('PUT /input', ['Content-Length: 4', 'Content-Length: 5'], 'abcde'),
    400,
  ],
  ['one length twice', rawRequest('PUT /input', Array(2).fill('Content-Length: 4'), 'abcd'), 400],
  ['a list of lengths', rawRequest('PUT /input', ['Content-Length: 4, 4'], 'abcd'), 400],
  ['a signed length', rawRequest('PUT /input', ['Content-Length: +4'], 'abcd'), 400],
  ['a length in hex', rawRequest('PUT /input', ['Content-Length: 0x4'], 'abcd'), 400],
  [
    'length and chunks',
    rawRequest('PUT /input', ['Content-Length: 4', ...chunked], '0\r\n\r\nGET /info HTTP/1.1\r\n'),
    400,
  ],
  [
    'another coding',
    rawRequest('PUT /input', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
    501,
  ],
  ['a coding in disguise', rawRequest('PUT /input', ['Transfer-Encoding: xchunked'], ''), 400, 501],
  [
    'chunks that are not last',
    rawRequest('PUT /input', ['Transfer-Encoding: chunked, x'], ''),
    400,
  ],
  ['chunks in HTTP/1.0', `PUT /input HTTP/1.0\r\n${host}${chunked}\r\n\r\n0\r\n\r\n`, 400],
  ['a negative chunk', rawRequest('PUT /input', chunked, '-1\r\nabc\r\n'), 400],
  ['a chunk of 2^64', rawRequest('PUT /input', chunked, 'ffffffffffffffffff\r\nabc\r\n'), 400, 413],
  ['a chunk that lies', rawRequest('PUT /input', chunked, '2\r\nabcdef\r\n0\r\n\r\n'), 400],
  ['a bare LF', `PUT /input HTTP/1.1\n${host}Content-Length: 0\n\n`, 400],
  [
    'an extension of 20 KB',
    rawRequest('PUT /input', chunked, `1;${'x'.repeat(20_000)}\r\n`),
    400,
    413,
  ],
]

const heads: readonly Row[] = [
  ['no host', 'GET /info HTTP/1.1\r\n\r\n', 400],
  ['no host in HTTP/1.0', 'GET /info HTTP/1.0\r\n\r\n', 403],
  ['an empty host', 'GET /info HTTP/1.1\r\nHost:\r\n\r\n', 403],
  ['two hosts', `GET /info HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n`, 400],
  ['a host of others', 'GET /info HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403],
  ['a user in the host', 'GET /info HTTP/1.1\r\nHost: evil.example@localhost\r\n\r\n', 403],
  ['a path in the host', 'GET /info HTTP/1.1\r\nHost: localhost/x\r\n\r\n', 403],
  ['a target elsewhere', `GET http://evil.example/info HTTP/1.1\r\n${host}\r\n`, 400],
  ['a whole target here', `GET http://localhost/ping HTTP/1.1\r\n${host}\r\n`, 200],
  ['a page of others', rawRequest('GET /info', ['Origin: https://evil.example']), 403],
  ['a page of nobody', rawRequest('PUT /input', ['Origin: null', 'Content-Length: 0']), 403],
  ['two pages', rawRequest('GET /info', ['Origin: http://localhost', 'Origin: http://x']), 400],
  ['a space before the colon', `GET /info HTTP/1.1\r\n${host}Expect : x\r\n\r\n`, 400],
  ['a folded field', `GET /info HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 200, 400],
  ['a NUL in a field', `GET /info HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400],
  ['a bare CR in a field', `GET /info HTTP/1.1\r\n${host}X: a\rY: b\r\n\r\n`, 400],
  ['a name that is none', `GET /info HTTP/1.1\r\n${host}X Y: a\r\n\r\n`, 400],
  ['a field of 100 KB', rawRequest('GET /info', [`X: ${'x'.repeat(100_000)}`]), 431],
  ['500 fields', rawRequest('GET /info', Array(500).fill('X: y')), 431],
  ['HTTP/0.9', 'GET /info\r\n\r\n', 400],
  ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['HTTP/9.9', `GET /info HTTP/9.9\r\n${host}\r\n`, 400],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['a method that is none', rawRequest('FOO /info'), 400],
  ['TRACE', rawRequest('TRACE /info'), 405],
  ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n', 0],
  ['an expectation', rawRequest('GET /info', ['Expect: 200-ok']), 417],
  [
    'an upgrade to HTTP/2',
    rawRequest('GET /ping', ['Connection: Upgrade', 'Upgrade: h2c']),
    200,
    404,
  ],
  ['a method in a field', rawRequest('GET /ping', ['X-HTTP-Method-Override: DELETE']), 200],
  ['who it comes from', rawRequest('GET /ping', ['X-Forwarded-Host: evil.example']), 200],
  ['Accept of 8 KB', rawRequest('GET /ping', [`Accept: ${'*/*;q=0.1,'.repeat(800)}`]), 200, 406],
  ['Accept of nonsense', rawRequest('GET /ping', ['Accept: ;;;q=,/,"']), 200, 406],
  ['a range', rawRequest('GET /ping', ['Range: bytes=0-0,-1,5-2']), 200],
  ['If-Match of 8 KB', rawRequest('PUT /services/a', [`If-Match: ${'"a",'.repeat(2000)}`]), 412],
  ['a key of 200', rawRequest('PUT /services/a', [`Idempotency-Key: ${'k'.repeat(200)}`]), 400],
  [
    'an event that never was',
    rawRequest('GET /services/a/events', ['Last-Event-ID: -1;DROP']),
    404,
  ],
]

const paths: readonly Row[] = [
  '/../info',
  '/%2e%2e/info',
  '/services/.%2e/info',
  '//info',
  '/services//input',
  '/services/a%2finput',
  '/services/%5c..%5cinfo',
  '/\\..\\info',
  '/info%00',
  '/services/a%0d%0aX:y/input',
  '/info#x',
  '/%',
  '/%zz',
  '/services/%c0%ae%c0%ae/input',
  'info',
  '*',
]
  .map((path): Row => [path, rawRequest(`GET ${path}`), 400])
  .concat([
    ['/INFO', rawRequest('GET /INFO'), 404],
    ['/services/__proto__', rawRequest('GET /services/__proto__'), 400],
    ['/services/constructor/input', rawRequest('GET /services/constructor/input'), 404],
    ['/services/%252e%252e/input', rawRequest('GET /services/%252e%252e/input'), 400],
    ['a name of 500', rawRequest(`GET /services/${'a'.repeat(500)}`), 414],
    ['a URL of 9 KB', rawRequest(`GET /info?${'x'.repeat(9000)}`), 414],
    ['a space in the URL', 'GET /in fo HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
  ])

const bodies: readonly Row[] = [
  ['lists in lists', put('['.repeat(100_000)), 400],
  ['closed lists in lists', put('['.repeat(100_000) + ']'.repeat(100_000)), 400],
  ['maps in maps', put(`${'{"input":'.repeat(50_000)}1${'}'.repeat(50_000)}`), 400],
  [
    'a prototype',
    put('{"__proto__": {"input": "synthetic:"}, "input": {"__proto__": {}}}'),
    200,
    201,
    400,
  ],
  [
    'a constructor',
    put('{"constructor": {"prototype": {"polluted": 1}}, "model": "none"}'),
    400,
    404,
  ],
  ['a prototype for a name', put('{"input": {"__proto__": "synthetic:"}}'), 400],
  ['keys that come twice', put('{"compute": "start", "compute": "explode"}'), 400],
  ['a number beyond all', put('{"input": {"url": "synthetic:", "fps": 1e999}}'), 400],
  ['a number of 100,000 digits', put(`{"input": ${'9'.repeat(100_000)}}`), 400],
  ['half a surrogate', put('{"model": "\\ud800"}'), 400, 404],
  ['UTF-16', put(Buffer.from('{}', 'utf16le').toString('latin1')), 400],
  ['a mark of UTF-8', put('\ufeff{"model": "none"}'), 400, 404],
  ['3 MB', put(`{"model": "${'x'.repeat(3_000_000)}"}`), 413],
  ['gzip', put('{}', ['Content-Encoding: gzip']), 415],
  ['gzip upon identity', put('{}', ['Content-Encoding: identity, gzip']), 415],
  ['a body of GET', rawRequest('GET /ping', ['Content-Length: 5'], 'hello'), 200],
]

const tables = { smuggling, heads, paths, bodies }

describe.each(Object.entries(tables))('a route, attacked by %s', (_, rows) => {
  const named = rows.map(([attack, bytes, ...statuses]) => ({ attack, bytes, statuses }))
  it.each(named)('$attack: answers, and others are served', async ({ bytes, statuses }) => {
    const before = await agent.memoryMb()
    expect(statuses).toContain(await agent.says(bytes))
    await agent.serves()
    expect((await agent.memoryMb()) - before).toBeLessThan(MOST_MB)
  })
})

it('attacks leave no service behind that they named, but the one that was well formed', async () => {
  const answer = await fetch(`http://127.0.0.1:${agent.httpPort}/services`)
  const names = ((await answer.json()) as { service: string }[]).map(({ service }) => service)
  expect(names.filter((name) => name !== 'a')).toEqual([])
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})

it('only statuses were answered that the OpenAPI document names', async () => {
  expect(await undocumented(`http://127.0.0.1:${agent.httpPort}`)).toEqual([])
})
