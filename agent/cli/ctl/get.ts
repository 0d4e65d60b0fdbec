import type { AgentClient, Tagged, Whom } from '../../client/agent-client.ts'
import { AgentError } from '../../core/errors.ts'
import type { ClientFlags } from './flags.ts'
import { whomOf, withClient } from './session.ts'
import {
  computeText,
  infoText,
  inputsText,
  modelsText,
  modelText,
  outputsText,
  servicesText,
  serviceText,
  stateText,
} from './tables.ts'

type Read = (client: AgentClient, whom: Whom) => Promise<Tagged<unknown>>

const readable = {
  services: {
    read: async (client: AgentClient) => ({ value: await client.services() }),
    text: servicesText,
  },
  service: { read: (client: AgentClient, whom: Whom) => client.service(whom), text: serviceText },
  input: { read: part('input'), text: inputsText },
  output: { read: part('output'), text: outputsText },
  model: { read: part('model'), text: modelText },
  compute: { read: part('compute'), text: computeText },
  state: {
    read: async (client: AgentClient, whom: Whom) => {
      const { value } = await client.get('compute', whom)
      return { value: value.state }
    },
    text: stateText,
  },
  models: {
    read: async (client: AgentClient) => ({ value: await client.models() }),
    text: modelsText,
  },
  info: { read: async (client: AgentClient) => ({ value: await client.info() }), text: infoText },
} as const satisfies Record<string, { read: Read; text: (value: never) => string }>

/** What `ctl get` shows. */
export type Readable = keyof typeof readable

/** Prints what is there; with `etag`, only the tag that `--if-match` takes. @returns the exit code */
export function get(what: Readable, flags: ClientFlags & { etag?: boolean }): Promise<number> {
  const { read, text } = readable[what]
  return withClient(flags, async ({ client, print }) => {
    const { value, etag }: Tagged<unknown> = await read(client, whomOf(flags))
    if (!flags.etag) print(value, text)
    else if (etag !== undefined) process.stdout.write(`${etag}\n`)
    else throw noTag(what)
  })
}

function part(name: 'input' | 'output' | 'model' | 'compute'): Read {
  return (client, whom) => client.get(name, whom)
}

function noTag(what: Readable): AgentError {
  const message = `--etag: there is none of '${what}' here; input, output, model, compute and service have one, over HTTP`
  return new AgentError('CONFIG_INVALID', message)
}
