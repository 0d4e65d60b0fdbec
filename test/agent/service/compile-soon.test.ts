import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

it('is understood by this V8, or not asked of it', () => {
  const script = `
    const { compileSoon } = await import(${JSON.stringify(new URL('../../../dist/agent/service/compile-soon.js', import.meta.url).href)})
    compileSoon()
    process.stdout.write('went on')`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  expect({ stdout, stderr, status }).toEqual({ stdout: 'went on', stderr: '', status: 0 })
})
