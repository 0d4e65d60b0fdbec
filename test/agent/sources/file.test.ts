import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { createSource } from '../../../agent/sources/registry.ts'
import { conformsToSource } from '../../conformance/source.ts'
import {
  mediaFolder,
  placeMedia,
  readAll,
  smallPicture,
  sourceContext,
  temporaryFolder,
  witness,
} from './surroundings.ts'

const clip = join(mediaFolder, 'dog.mp4')
const photo = join(mediaFolder, 'dog.jpg')

conformsToSource('a video file', () => createSource({ url: clip }, sourceContext()))
conformsToSource('a video file at its own pace', () =>
  createSource({ url: clip, pace: 'realtime', fps: 5 }, sourceContext()),
)
conformsToSource('a looped picture', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'a.jpg'), await smallPicture())
  return createSource(
    { url: join(folder, 'a.jpg'), loop: true },
    sourceContext({ roots: [folder] }),
  )
})
conformsToSource('a folder of pictures', async () => {
  const folder = temporaryFolder()
  for (const name of ['1.jpg', '2.jpg', '3.jpg']) {
    writeFileSync(join(folder, name), await smallPicture())
  }
  return createSource({ url: folder }, sourceContext({ roots: [folder] }))
})

describe('a picture', () => {
  it.each([photo, pathToFileURL(photo).href])('is one sample: %s', async (url) => {
    const events = witness()
    const samples = await readAll(createSource({ url }, sourceContext()), events)
    expect(samples).toMatchObject([{ kind: 'picture', width: 1280, height: 960 }])
    expect(events.infos).toEqual([{ still: true, width: 1280, height: 960 }])
  })

  it('that is damaged is a decode error', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'broken.jpg'), 'not a picture at all')
    const source = createSource(
      { url: join(folder, 'broken.jpg') },
      sourceContext({ roots: [folder] }),
    )
    await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_DECODE' })
  })

  it('that is larger than allowed is refused before it is read', async () => {
    const source = createSource({ url: photo }, sourceContext({ maxDownloadBytes: 1000 }))
    await expect(readAll(source)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })
})

describe('a video', () => {
  it('gives each of its frames once, in order', async () => {
    const samples = await readAll(createSource({ url: clip }, sourceContext()))
    expect(samples).toHaveLength(368)
    const times = samples.map((sample) => sample.pts ?? Number.NaN)
    expect(times).toEqual(times.map((_, index) => expect.closeTo(index / 30, 3)))
  })

  it('is sampled by its own clock', async () => {
    const samples = await readAll(createSource({ url: clip, fps: 5 }, sourceContext()))
    const times = samples.map((sample) => sample.pts ?? Number.NaN)
    expect(times).toHaveLength(Math.ceil((368 / 30) * 5))
    expect(times).toEqual(times.map((_, index) => expect.closeTo(index / 5, 3)))
  })

  it('goes on from its beginning when it loops, without a hole in time', async () => {
    const source = createSource({ url: clip, loop: true }, sourceContext())
    const events = witness()
    const samples = await readAll(source, events, 370)
    expect(samples.at(-1)?.pts).toBeCloseTo(369 / 30, 3)
    expect(events.infos).toHaveLength(1)
    expect(liveFrames()).toBe(0)
  })

  it('leaves no descriptor open, whenever it is given up', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()
    for (const ms of [0, 1, 2, 4, 8, 16, 32, 64, 128]) {
      const ends = AbortSignal.timeout(ms)
      const source = createSource({ url: clip, loop: true }, sourceContext())
      for await (const { frame } of source.samples(ends, witness())) frame.release()
    }
    for (const count of [0, 1, 2]) {
      const samples = createSource({ url: clip }, sourceContext())
        .samples(new AbortController().signal, witness())
        [Symbol.asyncIterator]()
      const asked = Array.from({ length: count }, () => samples.next())
      await samples.return?.()
      for (const { done, value } of await Promise.all(asked)) if (!done) value.frame.release()
    }
    await expect.poll(openFiles).toBe(before)
    expect(liveFrames()).toBe(0)
  })

  it('plays no faster than it was recorded at real pace', async () => {
    const startedAt = performance.now()
    await readAll(
      createSource({ url: clip }, sourceContext({}, { defaultPace: 'realtime' })),
      witness(),
      16,
    )
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(495)
  })
})

describe('a folder', () => {
  it('gives its pictures in natural order, with their names', async () => {
    const folder = temporaryFolder()
    for (const name of ['p10.jpg', 'p9.jpg', 'p1.JPG']) placeMedia('dog.jpg', join(folder, name))
    writeFileSync(join(folder, 'notes.txt'), 'no picture')
    mkdirSync(join(folder, 'more.jpg'))
    const events = witness()
    const source = createSource({ url: folder }, sourceContext({ roots: [folder] }))
    const samples = await readAll(source, events)
    expect(samples.map((sample) => sample.name)).toEqual(['p1.JPG', 'p9.jpg', 'p10.jpg'])
    expect(events.errors).toMatchObject([{ code: 'SOURCE_UNSUPPORTED' }])
  })

  it('goes on after a damaged picture', async () => {
    const folder = temporaryFolder()
    placeMedia('dog.jpg', join(folder, '1.jpg'))
    writeFileSync(join(folder, '2.jpg'), 'damaged')
    placeMedia('dog.jpg', join(folder, '3.jpg'))
    const events = witness()
    const source = createSource({ url: folder }, sourceContext({ roots: [folder] }))
    const samples = await readAll(source, events)
    expect(samples.map((sample) => sample.name)).toEqual(['1.jpg', '3.jpg'])
    expect(events.errors).toMatchObject([{ code: 'SOURCE_DECODE' }])
  })

  it('with nothing but damaged pictures is refused, also when it loops', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, '1.jpg'), 'damaged')
    const source = createSource({ url: folder, loop: true }, sourceContext({ roots: [folder] }))
    await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_DECODE' })
  })

  it('without pictures says what it holds instead', async () => {
    const folder = temporaryFolder()
    placeMedia('dog.mp4', join(folder, 'a.mp4'))
    writeFileSync(join(folder, 'b.txt'), '')
    const source = createSource({ url: folder }, sourceContext({ roots: [folder] }))
    await expect(readAll(source)).rejects.toThrow(/no pictures.*1 \.mp4, 1 \.txt/)
  })

  it('is played at the wanted rate at real pace', async () => {
    const startedAt = performance.now()
    const spec = { url: mediaFolder, fps: 20, loop: true, pace: 'realtime' } as const
    const samples = await readAll(createSource(spec, sourceContext()), witness(), 5)
    expect(samples.map((sample) => sample.pts)).toEqual([0, 0.05, 0.1, 0.15, 0.2])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195)
  })
})

describe('a glob pattern', () => {
  it('gives the pictures that match', async () => {
    const source = createSource({ url: join(mediaFolder, '*dog*.{jpg,png}') }, sourceContext())
    const samples = await readAll(source)
    expect(samples.map((sample) => sample.name)).toEqual(['dog.jpg', 'two-dogs.jpg'])
  })

  it('is taken as a name where a file has that very name', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'photo [1].jpg')
    placeMedia('dog.jpg', path)
    const samples = await readAll(createSource({ url: path }, sourceContext({ roots: [folder] })))
    expect(samples).toHaveLength(1)
  })

  it('outside the roots is refused before anything is looked up', async () => {
    const source = createSource({ url: '/etc/*.jpg' }, sourceContext())
    await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
  })
})

describe('what may be read', () => {
  it.each(['/etc/passwd', '/etc/nothing-of-this-name', join(mediaFolder, '../../package.json')])(
    'lies below the roots: %s is refused, and the roots are named',
    async (url) => {
      const refusal = readAll(createSource({ url }, sourceContext()))
      await expect(refusal).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
      await expect(refusal).rejects.toThrow(mediaFolder)
    },
  )

  it('does not lie behind a link that leads out', async () => {
    const outside = temporaryFolder()
    const folder = temporaryFolder()
    placeMedia('dog.jpg', join(outside, 'secret.jpg'))
    symlinkSync(join(outside, 'secret.jpg'), join(folder, 'a.jpg'))
    symlinkSync(outside, join(folder, 'sub'))
    for (const url of [
      join(folder, 'a.jpg'),
      join(folder, 'sub/secret.jpg'),
      join(folder, 'sub'),
    ]) {
      const source = createSource({ url }, sourceContext({ roots: [folder] }))
      await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
    }
  })

  it('may be a link that stays inside, and a root may itself be a link', async () => {
    const folder = temporaryFolder()
    const alias = join(temporaryFolder(), 'alias')
    placeMedia('dog.jpg', join(folder, 'a.jpg'))
    symlinkSync(join(folder, 'a.jpg'), join(folder, 'b.jpg'))
    symlinkSync(folder, alias)
    const source = createSource({ url: join(alias, 'b.jpg') }, sourceContext({ roots: [alias] }))
    expect(await readAll(source)).toHaveLength(1)
  })

  it('is everything for the command line', async () => {
    const source = createSource(
      { url: photo },
      sourceContext({ roots: [] }, { unrestricted: true }),
    )
    expect(await readAll(source)).toHaveLength(1)
  })

  it('must exist', async () => {
    const source = createSource({ url: join(mediaFolder, 'nothing.jpg') }, sourceContext())
    await expect(readAll(source)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      retryable: false,
    })
  })

  it.each(['file://elsewhere/a.jpg', 'file:///a.jpg?x=1'])(
    'is named by a local file URL without a query: not %s',
    (url) => {
      expect(() => createSource({ url }, sourceContext())).toThrow(
        expect.objectContaining({ code: 'SOURCE_UNSUPPORTED' }),
      )
    },
  )

  it.each([
    ['#EXTM3U\n#EXTINF:1,\n/etc/passwd\n', 'hls'],
    ['ffconcat version 1.0\nfile /etc/passwd\n', 'concat'],
    ['\n\n  ffconcat version 1.0\nfile /etc/passwd\n', 'concat after blank lines'],
    ['<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>', 'dash'],
    ['v=0\r\no=- 0 0 IN IP4 10.0.0.1\r\n', 'sdp'],
    ['[playlist]\nFile1=http://10.0.0.1/\n', 'pls'],
  ])(
    'does not point elsewhere: a playlist under the name of a video is refused (%#)',
    async (content) => {
      const folder = temporaryFolder()
      const path = join(folder, 'clip.mp4')
      writeFileSync(path, content)
      const source = createSource({ url: path }, sourceContext({ roots: [folder] }))
      await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
      await expect(readAll(source)).rejects.toThrow(/playlist/)
    },
  )

  it.each(['concat:a.mp4', 'clip%03d.mp4', 'http:clip.mp4', 'pipe:0'])(
    'may have a name that FFmpeg would read otherwise: %s',
    async (name) => {
      const folder = temporaryFolder()
      placeMedia('dog.mp4', join(folder, 'plain.mp4'))
      renameSync(join(folder, 'plain.mp4'), join(folder, name))
      const source = createSource({ url: join(folder, name) }, sourceContext({ roots: [folder] }))
      expect(await readAll(source, witness(), 1)).toHaveLength(1)
    },
  )
})
