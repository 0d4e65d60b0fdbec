import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { type Figure, holds, tableOf } from './figure.ts'
import { benchMemory, benchStart } from './footprint.ts'
import { benchHttp } from './http.ts'
import { benchRoundTrip } from './round-trip.ts'
import { benchStreams } from './streams.ts'
import { benchThroughput } from './throughput.ts'
import { benchVideo } from './video.ts'

/** How long each part takes. */
interface Effort {
  readonly rounds: number
  readonly seconds: number
  readonly requests: number
}

const full: Effort = { rounds: 5, seconds: 20, requests: 500 }
const quick: Effort = { rounds: 2, seconds: 4, requests: 100 }

type Part = (effort: Effort) => Promise<Figure[]>

const parts: Readonly<Record<string, Part>> = {
  throughput: ({ rounds, seconds }) => benchThroughput(rounds, seconds, say),
  'round-trip': ({ rounds, requests }) => benchRoundTrip(rounds, requests, say),
  streams: ({ rounds, requests }) => benchStreams(rounds, requests, say),
  http: ({ rounds, seconds }) => benchHttp(rounds, seconds / 2, say),
  memory: ({ rounds, seconds }) => benchMemory(rounds, seconds / 2, say),
  start: ({ rounds }) => benchStart(rounds, say),
  video: ({ rounds, seconds }) => benchVideo(rounds, seconds, say),
}

/**
 * `npm run bench`: measures the built agent and prints a table of medians over rounds.
 *
 *   --quick        short rounds, for a look; the figures mean little
 *   --only <part>  throughput, round-trip, streams, http, memory, start or video; may be given several times
 *
 * A whole run is kept as a file in bench/results.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: Object.keys(parts) },
    },
  })
  const effort = values.quick ? quick : full
  const figures: Figure[] = []
  for (const name of values.only) {
    const part = parts[name]
    if (!part) throw new Error(`no part '${name}' (known: ${Object.keys(parts).join(' ')})`)
    say(`${name}:`)
    figures.push(...(await part(effort)))
  }
  say(`\n${machine()}\n\n${tableOf(figures)}`)
  const whole = Object.keys(parts).every((name) => values.only.includes(name))
  if (whole && !values.quick) await keep(figures)
  process.exitCode = figures.every(holds) ? 0 : 1
}

async function keep(figures: readonly Figure[]): Promise<void> {
  const at = new Date().toISOString().slice(0, 16)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const file = `bench/results/${at.replace(':', '')}.md`
  const text = `# ${at} UTC, commit ${commit}\n\n${machine()}\n\n${tableOf(figures)}\n`
  await mkdir('bench/results', { recursive: true })
  await writeFile(file, text)
  say(`\nkept as ${file}`)
}

function machine(): string {
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 1e9)} GB`
  return `${cpus().length} × ${cpu?.model.trim()}, ${memory}, Node ${process.version}, ${process.platform} ${process.arch}`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (!existsSync('dist/agent/cli/heliograph.js')) throw new Error('nothing is built: npm run build')
await main()
