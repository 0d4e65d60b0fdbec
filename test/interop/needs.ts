import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Whether `program` is installed. If not, says which Debian package has it; on CI, where every
 * interop test must run, it throws instead.
 */
export function needs(program: string, debianPackage: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter)
  if (folders.some((folder) => isExecutable(join(folder, program)))) return true
  return missing(program, debianPackage)
}

function missing(what: string, debianPackage: string): false {
  const line = `${what} is missing; install the Debian package ${debianPackage}`
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

/** Whether Debian's Python has a module, as `needs`. */
export function needsPython(module: string, debianPackage: string): boolean {
  const { status } = spawnSync('/usr/bin/python3', ['-c', `import ${module}`], { stdio: 'ignore' })
  return status === 0 || missing(`Python's module ${module}`, debianPackage)
}
