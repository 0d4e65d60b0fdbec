import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What Vitest writes of a run, as far as it is read here. */
interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** Tries every call of the HTTP interface on `/docs`, in a browser: the test of it in its long form. */
export async function tryEveryCall(): Promise<{ calls: number; failures: string[] }> {
  const file = join(mkdtempSync(join(tmpdir(), 'heliograph-soak-')), 'report.json')
  const report = ['--reporter', 'json', '--outputFile', file]
  spawnSync('npx', ['vitest', 'run', 'test/interop/swagger-ui.test.ts', ...report], {
    env: { ...process.env, CI: 'true', HELIOGRAPH_EVERY_CALL: '1' },
    stdio: 'inherit',
  })
  const { numPassedTests, testResults }: Report = JSON.parse(readFileSync(file, 'utf8'))
  const failures = testResults.flatMap(({ message, assertionResults }) => [
    ...(message ? [message] : []),
    ...assertionResults.filter(({ status }) => status !== 'passed').map(({ fullName }) => fullName),
  ])
  return { calls: numPassedTests, failures }
}
