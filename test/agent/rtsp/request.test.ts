import { describe, expect, it } from 'vitest'
import { type Incoming, requestReader } from '../../../agent/rtsp/request.ts'

const limits = { headBytes: 1000, headers: 5, bodyBytes: 100 }
const plain = 'OPTIONS rtsp://h/a RTSP/1.0\r\nCSeq: 7\r\n\r\n'

function readAll(...chunks: readonly (string | Buffer)[]): Incoming[] {
  const read = requestReader(limits)
  return chunks.flatMap((chunk) => [...read(Buffer.from(chunk as string))])
}

const statusOf = (text: string) => {
  const [first] = readAll(text)
  return first?.kind === 'fault' ? first.status : first?.kind
}

describe('the reader of requests', () => {
  it('takes a request apart', () => {
    const text =
      'SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 7\r\nX-Some:  a: b \r\nContent-Length: 3\r\n\r\nabc'
    const [found] = readAll(text)
    if (found?.kind !== 'request') throw new Error(`not a request: ${found?.kind}`)
    const { method, url, cseq, headers, body } = found.request
    expect({ method, url, cseq }).toEqual({ method: 'SETUP', url: 'rtsp://h/a', cseq: '7' })
    expect(headers.get('x-some')).toBe('a: b')
    expect(body.toString()).toBe('abc')
  })

  it('finds the same whatever the pieces that bytes come in', () => {
    const data = Buffer.from([0x24, 1, 0, 3, 0x24, 0x0d, 0x0a])
    const stream = Buffer.concat(
      [plain, data, `\r\n\r\n${plain}`, data, data].map((part) => Buffer.from(part)),
    )
    const whole = readAll(stream).map(({ kind }) => kind)
    expect(whole).toEqual(['request', 'data', 'request', 'data', 'data'])
    for (let size = 1; size < stream.length; size++) {
      const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, at) =>
        stream.subarray(at * size, (at + 1) * size),
      )
      expect(readAll(...pieces).map(({ kind }) => kind)).toEqual(whole)
    }
  })

  it('takes lines that end in LF alone', () => {
    expect(readAll('OPTIONS * RTSP/1.0\nCSeq: 1\n\n')).toMatchObject([
      { kind: 'request', request: { url: '*' } },
    ])
  })

  it('joins the values of headers that come twice', () => {
    const [found] = readAll('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nA: b\r\na: c\r\n\r\n')
    expect(found?.kind === 'request' && found.request.headers.get('a')).toBe('b, c')
  })

  it.each([
    [400, 'another protocol', 'GET / HTTP/1.1\r\n\r\n'],
    [400, 'a line without version', 'OPTIONS rtsp://h/a\r\nCSeq: 1\r\n\r\n'],
    [400, 'a control character in the URL', 'OPTIONS rtsp://h/\u0007a RTSP/1.0\r\nCSeq: 1\r\n\r\n'],
    [400, 'a method in lower case', 'options * RTSP/1.0\r\nCSeq: 1\r\n\r\n'],
    [400, 'a request without CSeq', 'OPTIONS * RTSP/1.0\r\n\r\n'],
    [400, 'a CSeq that is no number', 'OPTIONS * RTSP/1.0\r\nCSeq: 1x\r\n\r\n'],
    [400, 'a header without colon', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nno colon\r\n\r\n'],
    [400, 'a folded header', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n folded: x\r\n\r\n'],
    [400, 'a negative length', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n'],
    [
      400,
      'two lengths',
      'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    ],
    [413, 'a body too long', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 101\r\n\r\n'],
    [413, 'a head too long', `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nA: ${'x'.repeat(1000)}\r\n\r\n`],
    [413, 'an endless line', 'x'.repeat(1001)],
    [413, 'too many headers', `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n${'A: b\r\n'.repeat(5)}\r\n`],
    [505, 'another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n'],
  ] as const)('answers %i to %s', (status, _, text) => {
    expect(statusOf(text)).toBe(status)
  })

  it('accepts what is just within its limits', () => {
    const request = (size: number) =>
      `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nA: ${'x'.repeat(size)}\r\n\r\n`
    const room = limits.headBytes - request(0).length
    expect(statusOf(request(room))).toBe('request')
    expect(statusOf(request(room + 1))).toBe(413)
  })

  it('reads nothing after a fault', () => {
    expect(readAll('nonsense\r\n\r\n', plain, plain).map(({ kind }) => kind)).toEqual(['fault'])
  })
})
