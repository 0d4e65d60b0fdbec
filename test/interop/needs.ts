import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Whether `program` is installed. If not, says which Debian package has it; on CI, where every
 * interop test must run, it throws instead.
 */
export function needs(program: string, debianPackage: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter)
  if (folders.some((folder) => isExecutable(join(folder, program)))) return true
  const line = `${program} is missing; install the Debian package ${debianPackage}`
  if (process.env.CI === 'true') throw new Error(line)
  process.stderr.write(`skipped: ${line}\n`)
  return false
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
