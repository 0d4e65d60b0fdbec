import type { Server } from 'node:net'
import { AgentError } from '../core/errors.ts'
import { portHolder } from './port-holder.ts'

/** Where a server is to listen, and which setting and flag move it. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly setting: string
  readonly flag: string
}

/**
 * Starts a server; returns the port it got.
 * @throws AgentError CONFIG_INVALID: the port is taken (see `portTaken`), or the host is not this machine's.
 */
export async function listen(server: Server, place: Place): Promise<number> {
  const { host, port } = place
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (cause) {
    throw new AgentError('CONFIG_INVALID', await problem(place, codeOf(cause)), { cause })
  }
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}

/** The port that another program holds, if that is what `error` says; another port may be free. */
export function portTaken(error: unknown): number | undefined {
  if (!(error instanceof AgentError) || codeOf(error.cause) !== 'EADDRINUSE') return
  const cause = error.cause as { readonly port?: number }
  return cause.port
}

async function problem(place: Place, code: string | undefined): Promise<string> {
  const { host, port, setting, flag } = place
  if (code === 'EADDRINUSE') {
    const holder = await portHolder(port)
    const who = holder ? `'${holder.name}' (pid ${holder.pid})` : 'another program'
    return `port ${port} on ${host} is taken by ${who}; choose another with ${flag} (or ${setting}), or stop that program`
  }
  if (code === 'EACCES') {
    return `port ${port} on ${host} needs more rights; choose one above 1023 with ${flag} (or ${setting})`
  }
  const hostSetting = setting.replace(/port$/, 'host')
  return `cannot listen on ${host} port ${port} (${code}); ${hostSetting} must be an address of this machine`
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
