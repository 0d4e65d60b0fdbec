import { startAgent } from '../main.ts'
import type { ConfigFlags } from './config-flags.ts'
import { exitCodes } from './failure.ts'
import { aborted, interruptible } from './interruption.ts'
import { configOf, logOf } from './load.ts'

/** What is left running when everything was stopped may not keep the process longer than this. */
const LINGER_MS = 3000

/** Runs the agent until a signal ends it. @returns the exit code */
export async function run(
  flags: ConfigFlags & { readonly demo?: boolean },
  version: string,
): Promise<number> {
  await interruptible(async (signal) => {
    const stop = flags.demo ? await demo(flags, version, signal) : await start(flags)
    await aborted(signal)
    await stop()
    return exitCodes.fine
  })
  setTimeout(() => process.exit(exitCodes.fine), LINGER_MS).unref()
  return exitCodes.fine
}

async function start(flags: ConfigFlags): Promise<() => Promise<void>> {
  const config = await configOf(flags)
  const log = logOf(config.log.level)
  const agent = await startAgent({ config, log, env: process.env })
  return async () => {
    await agent.stop()
    log.flush()
  }
}

async function demo(flags: ConfigFlags, version: string, signal: AbortSignal) {
  const { startDemo } = await import('./demo.ts')
  return startDemo(flags, version, signal)
}
