import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { heliograph, type Program } from './agent-process.ts'
import { badMessages } from './bad-messages.ts'
import { judge } from './judge.ts'
import { perform } from './perform.ts'
import { readRecording } from './tapes.ts'
import type { Verdict } from './verdict.ts'

/**
 * `npm run proof`: plays a scenario on a built agent while an outside program records everything that
 * is published, and judges the recording. Exit code 1 when any verdict fails.
 *
 *   --inference-on-main  runs the services inside the main process: the proof must then fail
 *   --judge <folder>     judges an earlier recording again
 *   --keep               keeps the folder with the recording; it is always kept after a failure
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'inference-on-main': { type: 'boolean', default: false },
      judge: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  })
  checkNeeds()
  const program = values['inference-on-main'] ? onMain() : heliograph
  const played = values.judge
    ? { folder: resolve(values.judge), remove: async () => {} }
    : await perform(program, say)
  const { recording, clip } = await readRecording(played.folder)
  const verdicts = judge(recording, badMessages(recording.book.root, clip))
  say(table(verdicts))
  const failed = verdicts.filter(({ passed }) => !passed).length
  say(`proof: ${verdicts.length - failed} passed, ${failed} failed`)
  if (failed === 0 && !values.keep) await played.remove()
  else say(`recording: ${played.folder}`)
  process.exitCode = failed === 0 ? 0 : 1
}

/** Sources run by the TypeScript loader that runs this script. */
function onMain(): Program {
  return ['--import', import.meta.resolve('tsx'), resolve('test/proof/on-main.ts')]
}

function checkNeeds(): void {
  try {
    execFileSync('mosquitto_sub', ['--help'], { stdio: 'ignore' })
  } catch (error) {
    // It shows its help with exit code 1.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return
    throw new Error('mosquitto_sub is missing: apt-get install mosquitto-clients', { cause: error })
  }
}

function table(verdicts: readonly Verdict[]): string {
  const width = Math.max(...verdicts.map(({ name }) => name.length))
  return verdicts
    .map(
      ({ passed, name, measured }) =>
        `${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(width)}  ${measured}`,
    )
    .join('\n')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (!existsSync('dist/agent/cli/heliograph.js')) throw new Error('nothing is built: npm run build')
await main()
