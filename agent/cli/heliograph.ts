#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { packageFolder } from '../config/folders.ts'
import { exitCodeOf, exitCodes, failureText } from './failure.ts'
import { commandLine } from './program.ts'

/** Without the agent's own modules, which take longer to load than help takes to read. */
function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')).version
}

/** The flag as it was typed: the configuration may be what is wrong. */
function wantsStack(args: readonly string[]): boolean {
  return /--log-level[ =](debug|trace)/.test(args.join(' '))
}

// ONNX Runtime reports to its maker unless it is told not to; every process of the agent inherits this.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

// A reader that has gone (`… | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

try {
  const program = commandLine(packageVersion(), (exitCode) => {
    process.exitCode = exitCode
  })
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; help and version come this way, too.
    process.exitCode = error.exitCode === 0 ? exitCodes.fine : exitCodes.usage
  } else {
    process.stderr.write(failureText(error, wantsStack(process.argv)))
    process.exitCode = exitCodeOf(error)
  }
}
