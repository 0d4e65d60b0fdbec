import { setTimeout as delay } from 'node:timers/promises'
import type { Role } from '../../schemas/route.ts'
import { type User, userRoles } from '../../schemas/users.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { watchFiles } from '../net/file-watch.ts'
import { mistakes } from './mistakes.ts'
import { holdsHash, tokenHash } from './tokens.ts'
import { readUsers } from './users-file.ts'

/** Who asks, as it was found out. */
export interface Caller {
  /** Nothing where callers need not say who they are. */
  readonly name?: string
  /** Of the token. */
  readonly hash?: string
}

/** Why somebody may not do what they ask. */
export interface Denied {
  /** 401: who are you? 403: not you. 429: too many wrong tokens. */
  readonly status: 401 | 403 | 429
  readonly reason: string
  /** What is wrong with the token, where there was one (RFC 6750, 3.1). */
  readonly error?: 'invalid_token' | 'insufficient_scope'
  /** With 429: seconds until a wrong token is answered again. */
  readonly retryS?: number
}

/** What somebody wants. */
export interface Demand {
  readonly token: string | undefined
  /** Of the client. */
  readonly address: string
  /** The least that is needed. */
  readonly role: Role
}

/** Who may do what: the users file, or everybody everything. */
export interface Access {
  /** Whether callers must say who they are. */
  readonly required: boolean
  /** A wrong token is answered late, and more than a few of them by 429; a right one always at once. */
  admit(demand: Demand): Promise<Caller | Denied>
  /** Calls `ended` once when the caller may no longer do what needs `role`; returns how to call it off. */
  hold(caller: Caller, role: Role, ended: () => void): () => void
  close(): void
}

/** Raises an alert, or with nothing clears it. */
export type RaiseAlert = (problem: AgentError | undefined) => void

/** Without users. */
export const openAccess: Access = {
  required: false,
  admit: async () => ({}),
  hold: () => () => undefined,
  close: () => undefined,
}

/** Guessing 256 bits is hopeless anyway; it shall also cost connections. */
const WRONG_TOKEN_DELAY_MS = 250

/**
 * Reads who may do what, and again when the file changes. A file that is damaged or gone leaves things as they are,
 * under an alert. @throws AgentError CONFIG_INVALID at the start
 */
export async function accessOf(file: string, log: Log, alert: RaiseAlert): Promise<Access> {
  let users = await load(file, log)
  const holds = new Set<() => void>()
  const watch = await watchFiles([file], async () => {
    try {
      users = await load(file, log)
      alert(undefined)
      log.info({ users: users.length }, 'the users file has changed')
    } catch (error) {
      log.error({ error }, 'the users file cannot be read; what it said before holds')
      alert(AgentError.from(error, 'CONFIG_INVALID'))
    }
    for (const recheck of holds) recheck()
  })
  const wrong = mistakes()

  async function admit({ token, address, role }: Demand): Promise<Caller | Denied> {
    if (role === 'anyone') return {}
    if (token === undefined) return { status: 401, reason: `this needs a token of a ${role}` }
    await watch.look()
    const hash = tokenHash(token)
    const user = userOf(users, hash)
    if (!user) return refuseWrong(address)
    if (covers(user.role, role)) return { name: user.name, hash }
    const reason = `'${user.name}' is ${user.role}; this needs ${role}`
    return { status: 403, reason, error: 'insufficient_scope' }
  }
  async function refuseWrong(address: string): Promise<Denied> {
    const retryS = wrong.add(address, performance.now())
    if (retryS > 0) return { status: 429, reason: `too many wrong tokens from ${address}`, retryS }
    await delay(WRONG_TOKEN_DELAY_MS, undefined, { ref: false })
    return { status: 401, reason: 'the token is not known', error: 'invalid_token' }
  }
  return {
    required: true,
    admit,
    hold({ hash }, role, ended) {
      const recheck = (): void => {
        const user = hash === undefined ? undefined : userOf(users, hash)
        if ((user && covers(user.role, role)) || !holds.delete(recheck)) return
        ended()
      }
      holds.add(recheck)
      return () => holds.delete(recheck)
    },
    close: () => watch.close(),
  }
}

async function load(file: string, log: Log): Promise<readonly User[]> {
  const { users, exposed } = await readUsers(file)
  if (exposed) log.warn({ file }, 'others may read the users file; chmod 600 mends it')
  return users
}

/** Every user is looked at: how long it takes does not tell whose token it is. */
function userOf(users: readonly User[], hash: string): User | undefined {
  return users.filter(({ tokens = [] }) => holdsHash(tokens, hash))[0]
}

function covers(has: User['role'], needed: Role): boolean {
  const order: readonly Role[] = ['anyone', ...userRoles]
  return order.indexOf(has) >= order.indexOf(needed)
}
