import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { needs } from '../interop/needs.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'

interface Process {
  readonly id: number
  readonly parent: number
  readonly name: string
}

/** All processes below this one. */
function descendants(): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(processOf)
  const below = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.id)])
  return below(process.pid)
}

function processOf(id: string): Process[] {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
    const [, name = '', parent] = /\((.*)\) \S (\d+)/.exec(stat) ?? []
    return [{ id: Number(id), parent: Number(parent), name }]
  } catch {
    return []
  }
}

/** Native libraries that a process has loaded. */
function librariesOf(id: number): string {
  return readFileSync(`/proc/${id}/maps`, 'utf8')
}

describe.skipIf(!needs('ffmpeg', 'ffmpeg'))('an agent with the ffmpeg engine', () => {
  let agent: AgentUnderTest
  beforeAll(async () => {
    agent = await startAgentUnderTest({ 'media.engine': 'ffmpeg' })
  }, 60_000)
  afterAll(() => agent.stop())

  it('sees what is in a video, to its end, without node-av', async () => {
    const since = agent.heard.length
    await agent.ask('$cmd/service/add', {
      service: 'clip',
      model: { options: { minScore: 0.4 } },
      input: { file: { url: media('dog.mp4'), pace: 'fast', fps: 2 } },
      compute: 'start',
    })
    const ended = await agent.next('clip/event/file', ({ type }) => type === 'ended', since)
    const results = agent.heard.filter(({ topic }) => topic === agent.topic('clip/detections/file'))
    // 368 frames at 30 a second, two of which are looked at.
    expect(ended.value.frames).toBe(Math.ceil((368 / 30) * 2))
    const labels = results.flatMap(({ value }) => value.items.map(({ label }: Labelled) => label))
    expect(labels).toContain('dog')
  }, 60_000)

  it('serves the annotated video, decoded and encoded by programs of the service', async () => {
    await agent.ask('$cmd/service/add', {
      service: 'door',
      input: { gate: { url: media('dog.mp4'), loop: true, fps: 10 } },
      compute: 'start',
    })
    const { value: stream } = await agent.next('door/stream/video/gate', Boolean, 0)
    const probing = promisify(execFile)('ffprobe', [
      ...['-v', 'error', '-rtsp_transport', 'tcp', '-read_intervals', '%+#20', '-count_packets'],
      ...['-show_entries', 'stream=codec_name,width,height,nb_read_packets', '-of', 'json'],
      stream.url,
    ])
    const { stdout } = await probing
    expect(JSON.parse(stdout).streams).toMatchObject([
      { codec_name: 'h264', width: 1280, height: 720, nb_read_packets: '20' },
    ])
    const programs = descendants().filter(({ name }) => name === 'ffmpeg')
    expect(programs.length).toBeGreaterThan(0)
    for (const { parent } of programs) {
      expect(librariesOf(parent)).toContain('onnxruntime')
      expect(librariesOf(parent)).not.toContain('node-av')
    }
  }, 60_000)

  it('leaves no program behind', async () => {
    const before = descendants().filter(({ name }) => name === 'ffmpeg')
    expect(before.length).toBeGreaterThan(0)
    await agent.ask('$cmd/service/remove', { service: 'door' })
    const after = descendants().filter(({ name }) => name === 'ffmpeg')
    expect(after.map(({ id }) => id)).toEqual([])
  }, 30_000)
})

interface Labelled {
  readonly label: string
}
