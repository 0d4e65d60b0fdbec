import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { sniff } from '../../../agent/media/sniff.ts'
import { clip, hasFfmpeg, shipped } from './clips.ts'

const grey = sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } })

describe('sniff', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'avif'] as const)(
    'knows %s by its bytes',
    async (kind) => {
      expect(sniff(await grey.clone().toFormat(kind).toBuffer())).toBe(kind)
    },
  )

  it('knows the demo clip as a video', () => {
    expect(sniff(readFileSync(shipped('dog.mp4')))).toBe('video')
  })

  it
    .skipIf(!hasFfmpeg)
    .each([
      'a.mkv',
      'a.webm',
      'a.avi',
      'a.ts',
      'a.flv',
      'a.ogv',
      'a.mpg',
      'a.mov',
      'a.h264',
      'a.wmv',
    ])('knows what ffmpeg writes as %s as a video', (name) => {
    const path = clip(name, '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25:duration=0.4')
    expect(sniff(readFileSync(path))).toBe('video')
  })

  it.each([
    '#EXTM3U\nhttp://10.0.0.1/a.ts',
    '\ufeff#EXTM3U\n',
    'http://10.0.0.1/a.ts\n#EXTM3U',
    'ffconcat version 1.0\nfile x',
    '\n\n  ffconcat version 1.0\n',
    "file '/etc/passwd'\n",
    '<?xml version="1.0"?>\n<MPD type="static">',
    '<MPD>',
    '<SmoothStreamingMedia MajorVersion="2">',
    '<smil><body/></smil>',
    '[playlist]\nFile1=http://x',
    'v=0\r\no=- 0 0 IN IP4 10.0.0.1',
    '<asx version="3.0">',
  ])('knows what only points elsewhere as a playlist: %j', (text) => {
    expect(sniff(Buffer.from(text))).toBe('playlist')
  })

  it.each(['<svg xmlns="http://www.w3.org/2000/svg"/>', '<?xml version="1.0"?>\n<svg width="1"/>'])(
    'knows a drawing, which is no picture of pixels: %j',
    (text) => {
      expect(sniff(Buffer.from(text))).toBe('svg')
    },
  )

  it.each(['', 'hello', '<html><a href="a.jpg">a</a></html>', '\0'.repeat(4000), '{"a": 1}'])(
    'takes anything else as unknown: %j',
    (text) => {
      expect(sniff(Buffer.from(text))).toBe('unknown')
    },
  )

  it('looks at no more than the first bytes', () => {
    expect(sniff(Buffer.concat([Buffer.alloc(5000), Buffer.from('#EXTM3U')]))).toBe('unknown')
  })
})
