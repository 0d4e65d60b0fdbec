import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { StreamInput } from '../../../agent/media/engine.ts'
import { ffmpegEngine } from '../../../agent/media/ffmpeg.ts'
import { bytesOnly } from '../../../agent/media/ffmpeg-probe.ts'
import { loadFfmpeg } from '../../../agent/media/ffmpeg-program.ts'
import { createEngine, firstEngine } from '../../../agent/media/registry.ts'
import { hasFfmpeg, readVideo, shipped, videoOptions } from './clips.ts'

const file = { kind: 'file', path: shipped('dog.mp4') } as const
const encoding = {
  codec: 'h264',
  ...{ width: 64, height: 64, fps: 25, bitrate: 1e5, keyIntervalS: 1, encoder: 'libx264' },
} as const
const nowhere = { ffmpeg: '/nowhere/ffmpeg', ffprobe: '/nowhere/ffprobe' }

/** Process ids of the ffmpeg programs that `parent` started, zombies too. */
function programsOf(parent: number): number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return ids.filter((id) => isProgramOf(id, parent)).map(Number)
}

function isProgramOf(id: string, parent: number): boolean {
  try {
    const [, name, ppid] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? []
    return (name === 'ffmpeg' || name === 'ffprobe') && Number(ppid) === parent
  } catch {
    return false
  }
}

function isGone(id: number): boolean {
  try {
    return readFileSync(`/proc/${id}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}

/** A program of its own that starts what `work` says and then only waits. */
async function startedParent(work: string): Promise<ChildProcess> {
  const program = `
    import { ffmpegEngine } from '${pathToFileURL(resolve('agent/media/ffmpeg.ts')).href}'
    const engine = ffmpegEngine()
    ${work}
    process.stdout.write('started')
    setInterval(() => undefined, 1000)`
  const parent = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void parent.kill('SIGKILL'))
  if (parent.stdout) await once(parent.stdout, 'data')
  return parent
}

describe('the ffmpeg program', () => {
  it('that is not installed is an error that says what to install', async () => {
    const engine = ffmpegEngine(() => loadFfmpeg(nowhere))
    const expected = { code: 'BACKEND_UNAVAILABLE', message: expect.stringContaining('install') }
    await expect(engine.open(file, videoOptions())).rejects.toMatchObject(expected)
    await expect(engine.encode(encoding)).rejects.toMatchObject(expected)
    await expect(engine.codecs()).rejects.toMatchObject(expected)
  })

  it.skipIf(!hasFfmpeg)('is the engine where node-av is absent', async () => {
    const absent = {
      create: () => createEngine('node-av'),
      check: () => Promise.reject(new Error('absent')),
    }
    const here = { create: () => createEngine('ffmpeg'), check: () => loadFfmpeg() }
    const engine = firstEngine([absent, here])
    expect((await readVideo(engine, file, { decode: 'key' })).times.length).toBeGreaterThan(0)
    expect(engine.name).toBe('ffmpeg')
  })

  it.skipIf(!hasFfmpeg)('is gone once its reader is closed, rewound or aborted', async () => {
    const engine = createEngine('ffmpeg')
    const abort = new AbortController()
    const reader = await engine.open(file, videoOptions({ signal: abort.signal }))
    ;(await reader.next())?.frame.release()
    expect(programsOf(process.pid)).toHaveLength(1)
    await reader.rewind()
    ;(await reader.next())?.frame.release()
    expect(programsOf(process.pid)).toHaveLength(1)
    abort.abort()
    expect(await reader.next()).toBeUndefined()
    await vi.waitFor(() => expect(programsOf(process.pid)).toEqual([]))
    await reader.close()
    const other = await engine.open(file, videoOptions())
    await other.close()
    expect(programsOf(process.pid)).toEqual([])
  })

  it.skipIf(!hasFfmpeg)('is gone when opening is aborted', async () => {
    const abort = new AbortController()
    const input: StreamInput = {
      kind: 'stream',
      name: 'silent',
      seekable: false,
      read: async (position) => {
        if (position === 0) return Buffer.from('\x00\x00\x00\x01'.repeat(2000), 'latin1')
        await vi.waitFor(() => expect(programsOf(process.pid)).toHaveLength(1), 5000)
        abort.abort()
        return await new Promise(() => undefined)
      },
      close: async () => undefined,
    }
    const opening = createEngine('ffmpeg').open(input, videoOptions({ signal: abort.signal }))
    await expect(opening).rejects.toThrow()
    expect(programsOf(process.pid)).toEqual([])
  })

  it.skipIf(!hasFfmpeg)('is gone once its encoder is closed', async () => {
    const encoder = await createEngine('ffmpeg').encode(encoding)
    expect(programsOf(process.pid)).toHaveLength(1)
    await encoder.close()
    expect(programsOf(process.pid)).toEqual([])
  })

  it.skipIf(!hasFfmpeg).each([
    [
      'decoding',
      `const signal = new AbortController().signal
       const options = { signal, threads: 1, maxPixels: 1e7, decode: 'all' }
       const reader = await engine.open(${JSON.stringify(file)}, options)
       await reader.next()`,
    ],
    ['encoding', `const encoder = await engine.encode(${JSON.stringify(encoding)})`],
  ])('ends with a process that is killed while it is %s', async (_, work) => {
    const parent = await startedParent(work)
    const [program = 0, ...others] = programsOf(parent.pid ?? 0)
    expect(program).toBeGreaterThan(0)
    expect(others).toEqual([])
    parent.kill('SIGKILL')
    await vi.waitFor(() => expect(isGone(program)).toBe(true), 5000)
  })

  it.skipIf(!hasFfmpeg)('says when it crashed', async () => {
    const reader = await createEngine('ffmpeg').open(file, videoOptions())
    ;(await reader.next())?.frame.release()
    const [program = 0] = programsOf(process.pid)
    process.kill(program, 'SIGSEGV')
    const readOn = async () => {
      for (let next = await reader.next(); next; next = await reader.next()) next.frame.release()
    }
    await expect(readOn()).rejects.toMatchObject({ code: 'SOURCE_DECODE' })
    await reader.close()
  })

  it.skipIf(!hasFfmpeg).each([
    ['#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n', 'hls'],
    ["ffconcat version 1.0\nfile '/etc/hostname'\n", 'concat'],
    [
      'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n',
      'sdp',
    ],
  ])('follows nothing that its input points at: %j', async (text, format) => {
    const program = await loadFfmpeg()
    const { signal } = new AbortController()
    const probing = program.probe(Readable.from([Buffer.from(text)]), bytesOnly, signal)
    await expect(probing).rejects.toThrow(`[${format} @`)
    await expect(probing).rejects.toThrow('not on whitelist')
  })
})
