import { describe, expect, it } from 'vitest'
import { introduction, reachable } from '../../../agent/cli/introduction.ts'
import { modelTable } from '../../../agent/cli/models.ts'
import { progress } from '../../../agent/cli/progress.ts'
import { seenLines } from '../../../agent/cli/seen-line.ts'
import { catalog } from '../../../agent/store/catalog.ts'
import type { Result } from '../../../schemas/results.ts'

function result(input: string, ...items: [label: string, score: number][]): Result {
  return {
    v: 1,
    kind: 'detections',
    input,
    model: 'm',
    run: 'r',
    seq: 0,
    capturedAt: 0,
    publishedAt: 0,
    width: 1,
    height: 1,
    items: items.map(([label, score]) => ({ label, score, classId: 0, box: [0, 0, 1, 1] })),
    ms: { decode: 0, queue: 0, preprocess: 0, infer: 0, postprocess: 0 },
  }
}

describe('what is seen', () => {
  it('is the rate and the newest result, the best first', () => {
    const newest = result('clip', ['chair', 0.5], ['dog', 0.964], ['chair', 0.71])
    const seen = [result('clip', ['cat', 0.9]), newest].map((one) => ({
      service: 'demo',
      result: one,
    }))
    expect(seenLines(seen, 0.5)).toEqual(['demo/clip    4.0 fps  dog 96 %, 2 × chair 71 %'])
  })

  it('has a line for each input of each service', () => {
    const lines = seenLines(
      [
        { service: 'a', result: result('x') },
        { service: 'b', result: result('x', ['dog', 1]) },
        { service: 'a', result: result('y') },
      ],
      1,
    )
    expect(lines).toEqual([
      'a/x    1.0 fps  nothing',
      'b/x    1.0 fps  dog 100 %',
      'a/y    1.0 fps  nothing',
    ])
  })

  it('is no line where there was no result', () => {
    expect(seenLines([], 1)).toEqual([])
  })
})

describe('the introduction', () => {
  const about = {
    version: '1.2.3',
    book: { root: 'edge', agent: 'north' },
    service: 'demo',
    input: 'clip',
    picture: "/home/o'neil/street.jpg",
    addresses: {
      mqtt: 'mqtt://0.0.0.0:1884',
      ws: 'ws://[::]:8080/mqtt',
      http: 'http://0.0.0.0:8080',
      rtsp: 'rtsp://0.0.0.0:8554',
    },
  }

  it('has commands that a shell takes as they are', () => {
    const text = introduction(about)
    expect(text).toContain(
      "  mosquitto_sub -h 127.0.0.1 -p 1884 -t 'edge/1/north/demo/detections/+' -v\n",
    )
    expect(text).toContain(
      `-t 'edge/1/north/demo/input/set' -m '{"url":"/home/o'\\''neil/street.jpg","fps":2,"loop":true}'\n`,
    )
  })

  it('names the API, and how a picture is sent to it', () => {
    const text = introduction(about)
    expect(text).toContain('  HTTP       http://0.0.0.0:8080/docs\n')
    expect(text).toContain('-o found.jpg http://127.0.0.1:8080/compute\n')
  })

  it('names the video that can be watched', () => {
    expect(introduction(about)).toContain(
      'ffplay -fflags nobuffer rtsp://127.0.0.1:8554/demo/video/clip\n',
    )
  })

  it('reaches a broker that listens everywhere on this machine', () => {
    expect(reachable('mqtt://[::]:1883')).toBe('mqtt://[::1]:1883')
    expect(reachable('mqtt://10.0.0.5:1883')).toBe('mqtt://10.0.0.5:1883')
    const addresses = { ...about.addresses, mqtt: 'mqtt://[::]:1883' }
    expect(introduction({ ...about, addresses })).toContain('-h ::1 -p 1883')
  })
})

describe('progress', () => {
  function recorded(isTTY: boolean) {
    const written: string[] = []
    const shown = progress({ isTTY, write: (text: string) => written.push(text) })
    return { shown, written }
  }

  it('is one line that is redrawn on a terminal, and taken away in the end', () => {
    const { shown, written } = recorded(true)
    shown.update('download', 1, 4)
    shown.update('download', 4, 4)
    shown.end()
    expect(written.join('')).not.toContain('\n')
    expect(written.join('')).toContain('download [######------------------] 25 %')
    expect(written.at(-2)).toContain('[########################] 100 %')
    expect(written.at(-1)).toBe('\r\x1b[K')
  })

  it('is not redrawn for every byte', () => {
    const { shown, written } = recorded(true)
    for (let done = 1; done <= 1000; done++) shown.update('download', done, 1_000_000)
    expect(written.length).toBeGreaterThan(0)
    expect(written.length).toBeLessThan(100)
  })

  it('is a line for each 10 % elsewhere', () => {
    const { shown, written } = recorded(false)
    for (let done = 0; done <= 200; done++) shown.update('download', done, 200)
    shown.update('convert', 1, undefined)
    shown.update('convert', 2, undefined)
    shown.end()
    const tens = Array.from({ length: 11 }, (_, ten) => `download ${ten * 10} %\n`)
    expect(written).toEqual([...tens, 'convert …\n'])
  })
})

it('prints models as a table', () => {
  const [manifest] = catalog
  if (!manifest) throw new Error('the catalog is empty')
  const lines = modelTable([
    { manifest, state: 'ready', bytes: 18_200_000 },
    { manifest: { ...manifest, id: 'x', licence: 'MIT' }, state: 'absent' },
  ]).split('\n')
  const column = lines[0]?.indexOf('LICENCE') ?? -1
  expect(lines[1]?.slice(column)).toMatch(/^Apache-2.0 /)
  expect(lines[2]?.slice(column)).toMatch(/^MIT /)
  expect(lines[1]).toContain('ready, 18.2 MB')
})
