import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { conformsToDecoding } from '../../conformance/media-decoding.ts'
import { conformsToPixels } from '../../conformance/media-pixels.ts'
import { conformsToStreams } from '../../conformance/media-stream.ts'
import { readVideo, shipped, videoOptions } from './clips.ts'

const engine = nodeAvEngine()

conformsToDecoding('node-av', () => engine)
conformsToStreams('node-av', () => engine)
conformsToPixels('node-av', () => engine)

describe('node-av', () => {
  it('says how to install node-av where it is missing', async () => {
    const missing = nodeAvEngine(async () => {
      const { loadNodeAv } = await import('../../../agent/media/node-av-library.ts')
      return await loadNodeAv(() => Promise.reject(new Error("Cannot find package 'node-av'")))
    })
    const opening = missing.open({ kind: 'file', path: shipped('dog.mp4') }, videoOptions())
    await expect(opening).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' })
    await expect(opening).rejects.toThrow('npm install node-av')
  })

  it('leaves nothing behind that keeps the process alive', () => {
    const program = `
      import { nodeAvEngine } from '${pathToFileURL(resolve('agent/media/node-av.ts')).href}'
      const options = { signal: new AbortController().signal, threads: 2, maxPixels: 1e6, decode: 'all' }
      const reader = await nodeAvEngine().open({ kind: 'file', path: process.argv[1] }, options)
      const { frame } = await reader.next()
      await reader.rewind()
      await reader.close()
      frame.release()
      process.stdout.write('closed')`
    const child = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program, shipped('dog.mp4')],
      { timeout: 15_000 },
    )
    expect(child.stdout.toString()).toBe('closed')
    expect([child.status, child.signal]).toEqual([0, null])
  })

  it('reads what its descriptor means, whatever has the name by now, and leaves no descriptor open', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heliograph-'))
    const path = join(folder, 'clip.mp4')
    await copyFile(shipped('dog.mp4'), path)
    const handle = await open(path)
    await rm(path)
    await writeFile(path, 'no video')
    const before = (await readdir('/proc/self/fd')).length
    const reader = await engine.open({ kind: 'file', path, descriptor: handle.fd }, videoOptions())
    for (let round = 0; round < 2; round++) {
      const first = await reader.next()
      expect(first?.pts).toBe(0)
      first?.frame.release()
      await reader.rewind()
    }
    await reader.close()
    expect((await readdir('/proc/self/fd')).length).toBe(before)
    await handle.close()
    await rm(folder, { recursive: true })
  })

  it('holds no more memory after many frames than after few', async () => {
    const path = shipped('dog.mp4')
    await readVideo(engine, path)
    global.gc?.()
    const before = process.memoryUsage().rss
    for (let round = 0; round < 4; round++) await readVideo(engine, path)
    global.gc?.()
    const frameBytes = 1280 * 720 * 1.5
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * frameBytes)
  })
})
