import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { tryEveryCall } from './docs.ts'
import { fuzzRtsp } from './rtsp-fuzz.ts'
import { soak } from './soak.ts'
import { watchFor } from './watch.ts'

const FILE = 'test/soak/last-result.json'
const RTSP_REQUESTS = 10_000

/** What every part gives. */
interface Outcome {
  readonly failures: readonly string[]
}

type Part = (minutes: number, seed: number, say: (text: string) => void) => Promise<Outcome>

const parts: Readonly<Record<string, Part>> = {
  control: soak,
  video: (minutes, _seed, say) => watchFor(minutes, say),
  rtsp: (_minutes, seed) => fuzzRtsp(RTSP_REQUESTS, seed),
  docs: tryEveryCall,
}

/**
 * `npm run soak`: the long forms of what the tests do shortly. `control`: half of the time control messages
 * are fuzzed while memory is watched, half of it processes are killed again and again; `video`: viewers come
 * and go while memory is watched; `rtsp`: 10,000 damaged requests; `docs`: every call of the HTTP interface, tried
 * in a browser.
 *
 *   --minutes <n>  how long control and video take, each; default 10
 *   --seed <n>     of everything that is random, default 1
 *   --only <part>  may be given several times; the results of the other parts are kept
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true, default: Object.keys(parts) },
    },
  })
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
  const results: Record<string, unknown> = JSON.parse(await readFile(FILE, 'utf8'))
  for (const name of values.only) {
    const part = parts[name]
    if (!part) throw new Error(`no part '${name}' (known: ${Object.keys(parts).join(' ')})`)
    const outcome = await part(minutes, seed, say)
    const command = `npm run soak -- --only ${name} --minutes ${minutes} --seed ${seed}`
    results[name] = { date: new Date().toISOString(), commit: commit(), command, ...outcome }
    if (outcome.failures.length > 0) process.exitCode = 1
  }
  await writeFile(FILE, JSON.stringify(results, null, 2))
  execFileSync('npx', ['biome', 'format', '--write', FILE], { stdio: 'ignore' })
  say(await readFile(FILE, 'utf8'))
}

const commit = (): string =>
  execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()

await main()
