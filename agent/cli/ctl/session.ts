import type { AgentClient } from '../../client/agent-client.ts'
import { agentUrl, openClient } from '../../client/open-client.ts'
import { exitCodes } from '../failure.ts'
import { interruptible } from '../interruption.ts'
import type { ClientFlags } from './flags.ts'

/** One command at work on one agent. */
export interface Session {
  readonly client: AgentClient
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  /** Prints what was found: the value as JSON, else the text for people. */
  print(value: unknown, human: (value: never) => string): void
}

/** Opens a client, does the work, closes it. @returns the exit code */
export function withClient(
  flags: ClientFlags,
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const url = agentUrl(flags.url)
  return interruptible(async (signal) => {
    const client = await openClient({
      url,
      signal,
      root: flags.root,
      ...(flags.token === undefined ? {} : { token: flags.token }),
      ...(flags.agent === undefined ? {} : { agent: flags.agent }),
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout * 1000 }),
      notice: (text) => void process.stderr.write(`${text}\n`),
    })
    try {
      await work({
        client,
        signal,
        print(value, human) {
          const text = flags.json ? `${JSON.stringify(value, null, 2)}\n` : human(value as never)
          process.stdout.write(text)
        },
      })
    } finally {
      await client.close()
    }
    return exitCodes.fine
  })
}

/** The service that the flags name. */
export function whomOf({ service }: ClientFlags): { readonly service?: string } {
  return service === undefined ? {} : { service }
}
