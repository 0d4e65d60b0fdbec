import { type AgentEvent, type EventKind, eventKinds } from '../../client/agent-client.ts'
import { lineOutput } from '../line-output.ts'
import { eventLine } from './event-line.ts'
import type { ClientFlags } from './flags.ts'
import { whomOf, withClient } from './session.ts'

const choices = {
  detections: ['detections'],
  state: ['state'],
  events: ['event'],
  stats: ['stats'],
  all: eventKinds,
} as const satisfies Record<string, readonly EventKind[]>

/** What can be watched. */
export const watchable = Object.keys(choices) as readonly Watchable[]
/** One of them. */
export type Watchable = keyof typeof choices

/** The flags of `ctl watch`. */
export interface WatchFlags extends ClientFlags {
  readonly input?: string
  readonly count?: number
}

/** Prints one line for each event until Ctrl-C, or until there were `count`. @returns the exit code */
export function watch(what: Watchable, flags: WatchFlags): Promise<number> {
  const { input, count = Number.POSITIVE_INFINITY, json } = flags
  const out = lineOutput(process.stdout)
  const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined
  const line = (event: AgentEvent) =>
    json ? JSON.stringify(event) : eventLine(event, new Date(), { colours })
  return withClient(flags, async ({ client, signal }) => {
    const enough = new AbortController()
    let seen = 0
    await client.watch(
      {
        ...whomOf(flags),
        kinds: choices[what],
        ...(input === undefined ? {} : { input }),
        signal: AbortSignal.any([signal, enough.signal, out.closed]),
      },
      async (event) => {
        if (seen >= count) return
        seen += 1
        await out.write(line(event))
        if (seen >= count) enough.abort()
      },
    )
  })
}
