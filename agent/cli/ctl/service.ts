import type { ServiceAdd } from '../../../schemas/control.ts'
import { AgentError } from '../../core/errors.ts'
import type { ClientFlags } from './flags.ts'
import { withClient } from './session.ts'
import { isBare, readSpecs } from './specs.ts'
import { serviceText } from './tables.ts'

/** The flags of `ctl service add`. */
export interface AddFlags extends ClientFlags {
  readonly model?: string
  readonly input?: readonly string[]
  readonly output?: readonly string[]
  readonly stopped?: boolean
}

/** Adds a service, which runs from then on unless it is to be stopped. @returns the exit code */
export function addService(id: string, flags: AddFlags): Promise<number> {
  const { model, input = [], output, stopped } = flags
  if (input.filter(isBare).length > 1) {
    throw new AgentError('CONFIG_INVALID', 'several inputs need ids: --input id=url')
  }
  const specs = input.length === 0 ? undefined : readSpecs('input', input)
  const service = {
    service: id,
    compute: stopped ? 'stop' : 'start',
    ...(model === undefined ? {} : { model }),
    ...(specs ? { input: input.every(isBare) ? specs.default : specs } : {}),
    ...(output ? { output: readSpecs('output', output) } : {}),
  } as ServiceAdd
  return withClient(flags, async ({ client, print }) => {
    print(await client.addService(service), serviceText)
  })
}

/** Stops a service and forgets it. @returns the exit code */
export function removeService(
  id: string,
  { ifMatch, ...flags }: ClientFlags & { readonly ifMatch?: string },
): Promise<number> {
  return withClient(flags, async ({ client, print }) => {
    await client.removeService(id, ifMatch === undefined ? {} : { ifMatch })
    print({ service: id, removed: true }, () => `service '${id}' is gone\n`)
  })
}
