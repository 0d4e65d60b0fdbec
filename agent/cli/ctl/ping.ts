import type { ClientFlags } from './flags.ts'
import { withClient } from './session.ts'

/** Prints how long the agent takes to answer, and since which start it runs. @returns the exit code */
export function ping(flags: ClientFlags): Promise<number> {
  return withClient(flags, async ({ client, print }) => {
    const asked = performance.now()
    const { boot, at } = await client.ping()
    const ms = Math.round((performance.now() - asked) * 10) / 10
    print({ boot, at, ms }, () => `the agent answers after ${ms} ms (boot ${boot})\n`)
  })
}
