import { progress } from '../progress.ts'
import type { ClientFlags } from './flags.ts'
import { withClient } from './session.ts'

/** Has the agent fetch a model, showing how far it is where it says so. @returns the exit code */
export function pull(model: string, flags: ClientFlags): Promise<number> {
  return withClient(flags, async ({ client, print }) => {
    const shown = progress(process.stderr)
    shown.update(`${model}: fetching`, 0, undefined)
    try {
      const pulled = await client.pull(model, ({ phase, done, total }) =>
        shown.update(`${model}: ${phase}`, done, total),
      )
      shown.end()
      print(pulled, () => `${pulled.model} is ready on the agent\nsha256 ${pulled.sha256}\n`)
    } catch (error) {
      shown.end()
      throw error
    }
  })
}
