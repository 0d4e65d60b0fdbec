import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it } from 'vitest'
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
  const told = await launched(`
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
  const told = await launched(
    `const set = process.env.GLIBC_TUNABLES.split(':')
    const both = ['glibc.malloc.perturb=1', 'glibc.malloc.tcache_count=0']
    process.send({ type: 'beat', inferenceMs: both.filter((one) => set.includes(one)).length })`,
    { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.perturb=1' },
  )
  expect(await told('beat')).toMatchObject({ inferenceMs: 2 })
})

const held = (): Promise<number> => anonymousMb(child?.pid ?? 0)

/** Starts `program` as a service; gives what waits for its messages. */
async function launched(program: string, env = process.env) {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-'))
  const entry = join(folder, 'service.mjs')
  await writeFile(entry, program)
  const arrived = new Map<string, (message: FromService) => void>()
  child = processLauncher(
    pathToFileURL(entry),
    env,
  )({
    message: (message) => arrived.get(message.type)?.(message),
    exited: () => undefined,
  })
  return <Type extends FromService['type']>(type: Type) =>
    new Promise<Extract<FromService, { type: Type }>>((resolve) => {
      arrived.set(type, (message) => resolve(message as Extract<FromService, { type: Type }>))
    })
}
