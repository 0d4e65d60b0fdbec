import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { createSource } from '../../../agent/sources/registry.ts'
import { conformsToSource } from '../../conformance/source.ts'
import { clip, hasFfmpeg } from '../media/clips.ts'
import {
  mediaFolder,
  placeMedia,
  readAll,
  smallPicture,
  sourceContext,
  temporaryFolder,
} from './surroundings.ts'

/** The source of an upload that holds `content`, under a name that says nothing. */
function uploaded(content: Uint8Array | string, name = 'a1b2') {
  const uploadFolder = temporaryFolder()
  writeFileSync(join(uploadFolder, name), content)
  const context = sourceContext({ uploadFolder, roots: [] }, { upload: true })
  return createSource({ url: join(uploadFolder, name) }, context)
}

conformsToSource('a looped upload', async () => {
  const uploadFolder = temporaryFolder()
  const url = join(uploadFolder, 'a')
  writeFileSync(url, await smallPicture())
  return createSource({ url, loop: true }, sourceContext({ uploadFolder }, { upload: true }))
})

describe('an upload', () => {
  it.each(['jpeg', 'png', 'webp', 'gif'] as const)(
    'is a picture by its content, whatever it is called: %s',
    async (format) => {
      const bytes = await sharp(await smallPicture())
        .toFormat(format)
        .toBuffer()
      const samples = await readAll(uploaded(bytes, 'clip.mp4'))
      expect(samples).toMatchObject([{ width: 64, height: 48 }])
      expect(liveFrames()).toBe(0)
    },
  )

  it('is a video by its content, whatever it is called', async () => {
    const samples = await readAll(uploaded(readFileSync(join(mediaFolder, 'dog.mp4')), 'dog.jpg'))
    expect(samples).toHaveLength(368)
    expect(liveFrames()).toBe(0)
  })

  it.skipIf(!hasFfmpeg).each(['mkv', 'avi', 'webm'])('may be a video in %s', async (ending) => {
    const codec = ending === 'webm' ? ['-c:v', 'libvpx'] : ['-c:v', 'mpeg4']
    const source = '-f lavfi -i testsrc2=size=64x48:rate=5:duration=1'.split(' ')
    const bytes = readFileSync(clip(`upload.${ending}`, ...source, ...codec))
    expect(await readAll(uploaded(bytes))).toHaveLength(5)
  })

  it('is refused past the pixels and bytes that a picture may have', async () => {
    const uploadFolder = temporaryFolder()
    placeMedia('dog.jpg', join(uploadFolder, 'a'))
    for (const limits of [{ maxPixels: 1000 }, { maxDownloadBytes: 1000 }]) {
      const context = sourceContext({ uploadFolder, ...limits }, { upload: true })
      const refusal = readAll(createSource({ url: join(uploadFolder, 'a') }, context))
      await expect(refusal).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
      await expect(refusal).rejects.not.toThrow(uploadFolder)
    }
  })

  it.each([
    ['nothing at all', '', 'SOURCE_DECODE'],
    ['text', 'hello', 'SOURCE_DECODE'],
    ['half a JPEG', readFileSync(join(mediaFolder, 'dog.jpg')).subarray(0, 9000), 'SOURCE_DECODE'],
    ['a video without pictures', '\0\0\0\x18ftypisom', 'SOURCE_DECODE'],
    [
      'SVG',
      '<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hostname"/></svg>',
      'SOURCE_UNSUPPORTED',
    ],
  ])('that is %s is refused, without a word of where it lies', async (_name, content, code) => {
    const refusal = readAll(uploaded(content))
    await expect(refusal).rejects.toMatchObject({ code })
    await expect(refusal).rejects.not.toThrow(/heliograph-sources/)
  })
})

describe('what an upload points at', () => {
  it.each([
    ['HLS', (target: string) => `#EXTM3U\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`],
    ['a concat list', (target: string) => `ffconcat version 1.0\nfile '${target}'\n`],
    ['a list without its first line', (target: string) => `file '${target}'\n`],
    ['DASH', (target: string) => `<?xml version="1.0"?>\n<MPD><BaseURL>${target}</BaseURL></MPD>`],
    ['SDP', () => 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n'],
  ])('is neither opened nor fetched: %s', async (_name, content) => {
    const { url, asked } = await trap()
    for (const target of [url, join(mediaFolder, 'dog.mp4')]) {
      await expect(readAll(uploaded(content(target)))).rejects.toMatchObject({
        code: 'SOURCE_FORBIDDEN',
      })
    }
    expect(asked()).toBe(0)
  })

  it.each(['link', 'folder/../../outside', '../outside', '.', 'folder'])(
    'is not read under a name that leads out of the folder, or to no file: %s',
    async (name) => {
      const parent = temporaryFolder()
      const uploadFolder = join(parent, 'uploads')
      mkdirSync(join(uploadFolder, 'folder'), { recursive: true })
      placeMedia('dog.jpg', join(parent, 'outside'))
      symlinkSync(join(parent, 'outside'), join(uploadFolder, 'link'))
      const context = sourceContext({ uploadFolder, roots: [parent] }, { upload: true })
      const source = createSource({ url: `${uploadFolder}/${name}` }, context)
      await expect(readAll(source)).rejects.toMatchObject({
        code: expect.stringMatching(/^SOURCE_(FORBIDDEN|UNSUPPORTED)$/),
      })
    },
  )
})

describe('the upload folder', () => {
  it.each([
    'uploads/a.jpg',
    'uploads',
    'uploads/*.jpg',
    'link/a.jpg',
    'link',
    'media/../uploads/a.jpg',
  ])('is closed to inputs, though a root holds it: %s', async (path) => {
    const root = temporaryFolder()
    const uploadFolder = join(root, 'uploads')
    mkdirSync(uploadFolder)
    placeMedia('dog.jpg', join(uploadFolder, 'a.jpg'))
    symlinkSync(uploadFolder, join(root, 'link'))
    const context = sourceContext({ roots: [root], uploadFolder })
    const refusal = readAll(createSource({ url: `${root}/${path}` }, context))
    await expect(refusal).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
  })

  it('gives nothing to a pattern of all folders', async () => {
    const root = temporaryFolder()
    const uploadFolder = join(root, 'uploads')
    mkdirSync(uploadFolder)
    placeMedia('dog.jpg', join(uploadFolder, 'a.jpg'))
    placeMedia('street.jpg', join(root, 'b.jpg'))
    const context = sourceContext({ roots: [root], uploadFolder })
    const samples = await readAll(createSource({ url: `${root}/**/*.jpg` }, context))
    expect(samples.map(({ name }) => name)).toEqual(['b.jpg'])
  })
})

/** A server that counts who comes. */
async function trap() {
  let requests = 0
  const server = createServer((_, response) => {
    requests += 1
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}/a.mp4`, asked: () => requests }
}
