import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { soak } from './soak.ts'

/**
 * `npm run soak`: the long forms of what the tests do shortly. Half of the time control messages are
 * fuzzed while memory is watched; half of it service processes and main are killed again and again.
 *
 *   --minutes <n>  how long, default 10
 *   --seed <n>     of everything that is random, default 1
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
    },
  })
  const minutes = Number(values.minutes)
  const seed = Number(values.seed)
  const outcome = await soak(minutes, seed, (text) => void process.stdout.write(`${text}\n`))
  const result = {
    date: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    command: `npm run soak -- --minutes ${minutes} --seed ${seed}`,
    ...outcome,
  }
  const file = 'test/soak/last-result.json'
  await writeFile(file, JSON.stringify(result, null, 2))
  execFileSync('npx', ['biome', 'format', '--write', file], { stdio: 'ignore' })
  process.stdout.write(await readFile(file, 'utf8'))
  process.exitCode = outcome.failures.length === 0 ? 0 : 1
}

await main()
