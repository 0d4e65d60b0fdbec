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

/** The test of `/docs` in a browser in its long form, which tries every call of the HTTP interface. */
export async function tryEveryCall(): Promise<{ passed: number; failures: string[] }> {
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
  return { passed: numPassedTests, failures }
}
