import { spawnSync } from 'node:child_process'

/**
 * Whether `program` is installed. Where it is not, says which Debian package has it, so that a
 * skipped test is seen; in continuous integration that is a failure.
 */
export function needs(program: string, debianPackage: string): boolean {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (found) return true
  const line = `${program} is not installed: its tests are skipped (apt-get install ${debianPackage})`
  if (process.env.CI === 'true') throw new Error(line)
  process.stderr.write(`${line}\n`)
  return false
}
