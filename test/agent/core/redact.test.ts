import { performance } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { redact, restorePassword } from '../../../agent/core/redact.ts'

describe('redact', () => {
  it.each([
    ['rtsp://user:geheim@camera/x', 'rtsp://user:***@camera/x'],
    ['HTTPS://:geheim@host', 'HTTPS://:***@host'],
    ['from mqtt://a:b@c to mqtts://d:e:f@g.', 'from mqtt://a:***@c to mqtts://d:***@g.'],
    ['http://host:80/path', 'http://host:80/path'],
    ['http://host:80/mail@host', 'http://host:80/mail@host'],
    ['rtsp://user@host', 'rtsp://user@host'],
    ['rtsp://user:***@host', 'rtsp://user:***@host'],
    ['', ''],
  ])('makes %j to %j', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it.each([
    'a'.repeat(1_500_000),
    `data:image/png;base64,${'Zm9v'.repeat(375_000)}`,
    `x://${'b'.repeat(1_500_000)}`,
    'x://b:c'.repeat(200_000),
  ])('takes no more than linear time on a long text (case %#)', (text) => {
    const start = performance.now()
    redact(text)
    expect(performance.now() - start).toBeLessThan(3000)
  })
})

describe('restorePassword', () => {
  const before = 'rtsp://user:geheim@camera/x'

  it('puts the password back where scheme, user and host are the same', () => {
    expect(restorePassword('rtsp://user:***@camera/y', before)).toBe('rtsp://user:geheim@camera/y')
  })

  it.each(['rtsp://user:***@other/x', 'rtsp://other:***@camera/x', 'http://user:***@camera/x'])(
    'leaves %s as it is: it would send the password elsewhere',
    (url) => {
      expect(restorePassword(url, before)).toBe(url)
    },
  )
})
