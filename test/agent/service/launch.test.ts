import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { processLauncher, type ServiceProcess } from '../../../agent/service/launch.ts'
import type { FromService } from '../../../agent/service/messages.ts'
import { anonymousMb } from '../../../bench/proc.ts'

const MB = 1e6
/** A luma plane of 1280×736, as FFmpeg pads 720p, and the scores of the default model, [1, 1917, 90] of 4 bytes. */
const [planeBytes, outputBytes] = [1280 * 736, 1917 * 90 * 4]
const planes = 24

let folder = ''
let child: ServiceProcess | undefined
afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

it('gives the memory of pictures back when a video ends, whatever small is left between them', async () => {
  const told = await launched(`
    const kept = []
    let pictures = []
    for (let i = 0; i < ${planes}; i++) {
      pictures.push(Buffer.alloc(${planeBytes}, 1))
      kept.push(Buffer.alloc(50_000, 1))
    }
    process.on('message', () => {
      pictures = []
      gc()
    })
    setInterval(() => kept, 1e6)
    process.send({ type: 'ready' })`)
  await told('ready')
  const full = await anonymousMb(child?.pid ?? 0)
  expect(full).toBeGreaterThan((planes * planeBytes) / MB)
  child?.send({ type: 'stop' })
  const given = async () => full - (await anonymousMb(child?.pid ?? 0))
  await expect.poll(given, { timeout: 5000 }).toBeGreaterThan((0.9 * planes * planeBytes) / MB)
})

it('keeps the memory of a model’s outputs for the next ones', async () => {
  const told = await launched(`
    const run = (count) => {
      for (let i = 0; i < count; i++) {
        Buffer.alloc(${outputBytes}, 1)
        gc({ type: 'minor' })
      }
    }
    const faults = () => process.resourceUsage().minorPageFault
    run(50)
    const before = faults()
    run(100)
    process.send({ type: 'beat', inferenceMs: (faults() - before) / 100 })
    setInterval(() => {}, 1e6)`)
  const { inferenceMs: faultsPerRun } = await told('beat')
  expect(faultsPerRun).toBeLessThan(outputBytes / 4096 / 2)
})

/** Starts `program` as a service; gives what waits for its messages. */
async function launched(program: string) {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-'))
  const entry = join(folder, 'service.mjs')
  await writeFile(entry, program)
  const arrived = new Map<string, (message: FromService) => void>()
  child = processLauncher(
    pathToFileURL(entry),
    process.env,
  )({
    message: (message) => arrived.get(message.type)?.(message),
    exited: () => undefined,
  })
  return <Type extends FromService['type']>(type: Type) =>
    new Promise<Extract<FromService, { type: Type }>>((resolve) => {
      arrived.set(type, (message) => resolve(message as Extract<FromService, { type: Type }>))
    })
}
