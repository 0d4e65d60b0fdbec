import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import type { ServiceLimits } from '../../../agent/service/messages.ts'
import { createSource } from '../../../agent/sources/registry.ts'
import type { InputSpec } from '../../../schemas/control.ts'
import { needs } from '../../interop/needs.ts'
import { clip, hasFfmpeg } from '../media/clips.ts'
import { mediaFolder, readAll, sourceContext, temporaryFolder, witness } from './surroundings.ts'
import { media, webServer, withBytes } from './web-server.ts'

function open(url: string, limits: Partial<ServiceLimits> = {}, spec: Partial<InputSpec> = {}) {
  return createSource({ ...spec, url }, sourceContext(limits))
}

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

describe('a video over http', () => {
  it('gives all its frames, read in ranges', async () => {
    const server = await webServer(withBytes(media('dog.mp4')))
    expect(await readAll(open(server.url))).toHaveLength(368)
  })

  it('gives all its frames from a server without ranges, and again when it loops', async () => {
    const server = await webServer(withBytes(media('dog.mp4'), { ranges: false }))
    const samples = await readAll(open(server.url, {}, { loop: true }), witness(), 370)
    expect(samples.at(-1)?.pts).toBeCloseTo(369 / 30, 3)
    expect(server.requests).toHaveLength(2)
  })

  it('gives all its frames from a server that gives a part of each range only', async () => {
    const server = await webServer(withBytes(media('dog.mp4'), { most: 200_000 }))
    expect(await readAll(open(server.url))).toHaveLength(368)
  })

  it('goes on after the server closed the connection', async () => {
    const bytes = media('dog.mp4')
    const server = await webServer((request, response) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0])
      response.writeHead(206, {
        'content-length': bytes.length - from,
        'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      })
      response.write(bytes.subarray(from, from + 300_000), () => response.destroy())
    })
    expect(await readAll(open(server.url))).toHaveLength(368)
    expect(server.requests.length).toBeGreaterThan(2)
  })

  it('that breaks off for good is unreachable, and may come back', async () => {
    const bytes = media('dog.mp4')
    const server = await webServer((_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 300_000), () => response.destroy())
    })
    await expect(readAll(open(server.url))).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      retryable: true,
    })
  })

  describe.skipIf(!hasFfmpeg)('whose index comes last', () => {
    const lastIndex = () =>
      readFileSync(clip('last.mp4', '-i', join(mediaFolder, 'dog.mp4'), '-c', 'copy'))

    it('is read in ranges where the server has them', async () => {
      const bytes = lastIndex()
      const server = await webServer(withBytes(bytes))
      expect(await readAll(open(server.url, { maxDownloadBytes: 1000 }))).toHaveLength(368)
      expect(server.requests.length).toBeGreaterThan(1)
    })

    it('is read by way of a file where it has not, within the limit', async () => {
      const bytes = lastIndex()
      const server = await webServer(withBytes(bytes, { ranges: false }))
      expect(await readAll(open(server.url))).toHaveLength(368)
      expect(server.requests).toHaveLength(1)
      const bounded = readAll(open(server.url, { maxDownloadBytes: bytes.length - 1 }))
      await expect(bounded).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    })
  })
})

describe('a listing of a folder', () => {
  it('gives its pictures in its order, and skips what is broken or elsewhere', async () => {
    const server = await webServer((request, response) => {
      if (request.url === '/in/') {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        response.end(`<html><body><a href="?C=N;O=D">Name</a> <a href="/">up</a>
          <a class="x" href='b%20c.jpg'>b c</a> <a href=a.jpg>a</a> <a href="a.jpg">again</a>
          <a href="sub/d.jpg">deeper</a> <a href="http://10.0.0.1/in/e.jpg">elsewhere</a>
          <a href="broken.jpg">broken</a> <a href="notes.txt">notes</a></body></html>`)
      } else if (request.url === '/in/broken.jpg') response.writeHead(500).end()
      else response.end(media('dog.jpg'))
    })
    const events = witness()
    const samples = await readAll(open(`${server.url}/in/`), events)
    expect(samples.map((sample) => sample.name)).toEqual(['b c.jpg', 'a.jpg'])
    expect(events.errors).toHaveLength(1)
  })

  it.skipIf(!needs('python3', 'python3'))('is understood as Python writes it', async () => {
    const folder = temporaryFolder()
    for (const name of ['1.jpg', '2 & 3.jpg'])
      cpSync(join(mediaFolder, 'dog.jpg'), join(folder, name))
    writeFileSync(join(folder, 'readme.txt'), '')
    const server = spawn('python3', ['-u', '-m', 'http.server', '--bind', '127.0.0.1', '0'], {
      cwd: folder,
    })
    onTestFinished(() => void server.kill())
    const [line] = await once(server.stdout, 'data')
    const port = /port (\d+)/.exec(String(line))?.[1]
    const samples = await readAll(open(`http://127.0.0.1:${port}/`))
    expect(samples.map((sample) => sample.name)).toEqual(['1.jpg', '2 & 3.jpg'])
  })
})
