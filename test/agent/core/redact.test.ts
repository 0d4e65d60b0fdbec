import { performance } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { maskedOutput, redact, restorePassword, restoreSecret } from '../../../agent/core/redact.ts'

describe('redact', () => {
  it.each([
    ['rtsp://user:geheim@camera/x', 'rtsp://user:***@camera/x'],
    ['HTTPS://:geheim@host', 'HTTPS://:***@host'],
    ['from mqtt://a:b@c to mqtts://d:e:f@g.', 'from mqtt://a:***@c to mqtts://d:***@g.'],
    ['mqtt://user:ge@he:im@host/x', 'mqtt://user:***@host/x'],
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

  it('knows passwords that hold an @', () => {
    const old = 'rtsp://user:ge@heim@camera/x'
    expect(restorePassword('rtsp://user:***@camera/y', old)).toBe('rtsp://user:ge@heim@camera/y')
  })

  it.each(['rtsp://user:***@other/x', 'rtsp://other:***@camera/x', 'http://user:***@camera/x'])(
    'leaves %s as it is: it would send the password elsewhere',
    (url) => {
      expect(restorePassword(url, before)).toBe(url)
    },
  )
})

describe('the secret of an output', () => {
  const before = { url: 'https://user:geheim@host/hook', secret: 'correct horse' }

  it('is published masked, and so is the password', () => {
    expect(maskedOutput({ ...before, image: true })).toEqual({
      url: 'https://user:***@host/hook',
      secret: '***',
      image: true,
    })
    expect(maskedOutput({ url: 'mqtt:' })).toEqual({ url: 'mqtt:' })
  })

  it.each(['https://user:***@host/hook', 'https://host/other?x=1', 'HTTPS://HOST'])(
    'stays for %s',
    (url) => {
      expect(restoreSecret(url, before)).toBe('correct horse')
    },
  )

  it.each(['http://host/hook', 'https://host:444/hook', 'https://evil/host', 'https://host@evil/'])(
    'does not go with %s: its signatures would be had elsewhere',
    (url) => {
      expect(restoreSecret(url, before)).toBeUndefined()
    },
  )
})
