import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import type { VideoPacket } from '../../../agent/core/video.ts'
import { processLauncher, type ServiceProcess } from '../../../agent/service/launch.ts'
import type { FromService } from '../../../agent/service/messages.ts'
import { anonymousMb } from '../../../bench/proc.ts'

/** Of 1280×736, as FFmpeg pads 720p. */
const planes = [1280 * 736, 640 * 368, 640 * 368]
const pictures = 24
const pictureMb = planes.reduce((sum, bytes) => sum + bytes, 0) / 1e6

let folder = ''
let child: ServiceProcess | undefined
afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

it('gives the memory of pictures back, whatever small lies between them', async () => {
  const { told } = await launched(`
    const kept = []
    let pictures = []
    for (let i = 0; i < ${pictures}; i++) {
      for (const bytes of [${planes}]) {
        pictures.push(Buffer.alloc(bytes, 1))
        kept.push(Buffer.alloc(20_000, 1))
      }
    }
    process.on('message', () => {
      pictures = []
      gc()
    })
    setInterval(() => kept, 1e6)
    process.send({ type: 'ready' })`)
  await told('ready')
  const full = await held()
  expect(full).toBeGreaterThan(pictures * pictureMb)
  child?.send({ type: 'stop' })
  const given = async () => full - (await held())
  await expect.poll(given, { timeout: 5000 }).toBeGreaterThan(0.9 * pictures * pictureMb)
})

it('keeps no memory for each thread, besides what the C library was told already', async () => {
  const { told } = await launched(
    `const set = process.env.GLIBC_TUNABLES.split(':')
    const both = ['glibc.malloc.perturb=1', 'glibc.malloc.tcache_count=0']
    process.send({ type: 'beat', inferenceMs: both.filter((one) => set.includes(one)).length })`,
    { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.perturb=1' },
  )
  expect(await told('beat')).toMatchObject({ inferenceMs: 2 })
})

/** Has `send(stream, packet)` write to the pipe for video. */
const sendVideo = `
  import { videoWriter } from '${new URL('../../../dist/agent/service/video-pipe.js', import.meta.url)}'
  const send = videoWriter(() => process.exit(1))`

it('hands on the packets that a process sends', async () => {
  const { packets } = await launched(`${sendVideo}
    for (const pts of [1, 2, 3]) send(5, { data: Buffer.alloc(100_000, pts), pts, key: pts === 1 })
    setInterval(() => undefined, 1e6)`)
  await expect.poll(() => packets, { timeout: 5000 }).toHaveLength(3)
  const packet = (pts: number) => ({ data: Buffer.alloc(100_000, pts), pts, key: pts === 1 })
  expect(packets).toEqual([1, 2, 3].map((pts) => [5, packet(pts)]))
})

it('tells of a process that sends something else than packets', async () => {
  const { packets, problems } = await launched(`${sendVideo}
    send(5, { data: Buffer.alloc(10), pts: NaN, key: true })
    setInterval(() => undefined, 1e6)`)
  await expect.poll(() => problems, { timeout: 5000 }).toHaveLength(1)
  expect(packets).toEqual([])
})

it('lets a process end by itself though its pipe for video is open', async () => {
  const { packets, ends } = await launched(`${sendVideo}
    send(5, { data: Buffer.alloc(10), pts: 0, key: true })
    process.once('message', () => undefined)`)
  await expect.poll(() => packets, { timeout: 5000 }).toHaveLength(1)
  child?.send({ type: 'stop' })
  await expect.poll(() => ends, { timeout: 5000 }).toEqual([0])
})

it.each([
  ['ends', 'process.exit(0)', [0]],
  ['is killed', `process.kill(process.pid, 'SIGKILL')`, [null]],
])(
  'hands on all that a process sent before it %s, and then tells of its end',
  async (_, end, told) => {
    const { packets, ends } = await launched(`
    import { writeSync } from 'node:fs'
    import { framed } from '${new URL('../../../dist/agent/service/video-pipe.js', import.meta.url)}'
    const packet = { data: Buffer.alloc(50_000), pts: 0, key: true }
    for (const pts of [0, 1, 2]) writeSync(4, framed(5, { ...packet, pts }))
    ${end}`)
    // Main is busy with something else meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
    const seen: number[] = []
    await expect.poll(() => ends.length > 0 && seen.push(packets.length), { timeout: 5000 }).toBe(1)
    expect(ends).toEqual(told)
    expect(seen).toEqual([3])
  },
)

it('takes nothing more of a process that is gone from others that have its pipe', async () => {
  const { packets, ends } = await launched(`
    import { spawn } from 'node:child_process'
    import { existsSync, writeFileSync } from 'node:fs'
    import { framed } from '${new URL('../../../dist/agent/service/video-pipe.js', import.meta.url)}'
    const file = new URL('late.data', import.meta.url)
    writeFileSync(file, framed(5, { data: Buffer.alloc(10), pts: 0, key: true }))
    const heir = spawn('sh', ['-c', 'while cat "$0"; do : > "$0.sent"; sleep 0.1; done', file.pathname], {
      stdio: ['ignore', 4, 'ignore'],
      detached: true,
    })
    heir.unref()
    setInterval(() => existsSync(file.pathname + '.sent') && process.exit(0), 10)`)
  await expect.poll(() => ends, { timeout: 5000 }).toEqual([0])
  const count = packets.length
  expect(count).toBeGreaterThan(0)
  // Its heir goes on writing, ten times a second.
  await passed(500)
  expect(packets).toHaveLength(count)
})

const held = (): Promise<number> => anonymousMb(child?.pid ?? 0)

/** Starts `program` as a service; gives what waits for its messages, and what else it told. */
async function launched(program: string, env = process.env) {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-'))
  const entry = join(folder, 'service.mjs')
  await writeFile(entry, program)
  const packets: [stream: number, packet: VideoPacket][] = []
  const problems: string[] = []
  const ends: (number | null)[] = []
  const arrived = new Map<string, (message: FromService) => void>()
  child = processLauncher(
    pathToFileURL(entry),
    env,
  )({
    message: (message) => arrived.get(message.type)?.(message),
    video: (stream, packet) => packets.push([stream, packet]),
    broken: (reason) => problems.push(reason),
    exited: (code) => ends.push(code),
  })
  const told = <Type extends FromService['type']>(type: Type) =>
    new Promise<Extract<FromService, { type: Type }>>((resolve) => {
      arrived.set(type, (message) => resolve(message as Extract<FromService, { type: Type }>))
    })
  return { told, packets, problems, ends }
}
