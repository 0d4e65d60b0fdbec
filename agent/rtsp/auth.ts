import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RtspRequest } from './request.ts'
import { targetOf } from './target.ts'

/** Who may watch. */
export interface User {
  readonly name: string
  readonly password: string
}

/** What credentials were worth: `none` and `stale` are no attempt to guess. */
export type Verdict = 'welcome' | 'none' | 'stale' | 'wrong'

/** Checks the credentials of one connection's requests. */
export interface Gatekeeper {
  judge(request: RtspRequest): Verdict
  /** What a refused client may answer with; the strongest first (RFC 7235, section 4.1). */
  challenges(verdict: Verdict): readonly (readonly ['WWW-Authenticate', string])[]
}

const realm = 'Heliograph'

/**
 * Basic (RFC 7617) and Digest (RFC 7616) with MD5 and without `qop`, since that is what programs that play
 * RTSP speak. Numbers used once hold for this connection only and expire. Without users everyone is welcome.
 */
export function gatekeeper(users: readonly User[], nonceMs: number): Gatekeeper {
  let nonce = ''
  let madeAt = 0

  function refresh(): string {
    const now = performance.now()
    if (nonce === '' || now - madeAt > nonceMs / 2) {
      nonce = randomBytes(16).toString('hex')
      madeAt = now
    }
    return nonce
  }

  function judgeDigest(request: RtspRequest, text: string): Verdict {
    const given = parametersOf(text)
    const expired = performance.now() - madeAt > nonceMs
    if (given.get('nonce') !== nonce || nonce === '' || expired) return 'stale'
    if (given.get('realm') !== realm || !sameStream(given.get('uri') ?? '', request.url)) {
      return 'wrong'
    }
    const expected = (user: User) => digestOf(user, request.method, given.get('uri') ?? '', nonce)
    return anyOf(users, (user) => same(expected(user), given.get('response') ?? ''))
  }

  return {
    judge(request) {
      if (users.length === 0) return 'welcome'
      const header = request.headers.get('authorization')
      if (header === undefined) return 'none'
      const [, scheme = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(header) ?? []
      if (scheme.toLowerCase() === 'digest') return judgeDigest(request, rest)
      if (scheme.toLowerCase() !== 'basic') return 'wrong'
      const given = Buffer.from(rest, 'base64').toString('utf8')
      return anyOf(users, ({ name, password }) => same(`${name}:${password}`, given))
    },
    challenges(verdict) {
      const stale = verdict === 'stale' ? ', stale=true' : ''
      const digest = `Digest realm="${realm}", nonce="${refresh()}", algorithm=MD5${stale}`
      return [
        ['WWW-Authenticate', digest],
        ['WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`],
      ]
    },
  }
}

/** RFC 7616, section 3.4.1, for a server that offers no `qop` (RFC 2617, section 3.2.2.1). */
function digestOf({ name, password }: User, method: string, uri: string, nonce: string): string {
  const secret = md5(`${name}:${realm}:${password}`)
  return md5(`${secret}:${nonce}:${md5(`${method}:${uri}`)}`)
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** Looks at every user, so that the time taken does not tell which one it was. */
function anyOf(users: readonly User[], fits: (user: User) => boolean): Verdict {
  const fitting = users.filter(fits)
  return fitting.length > 0 ? 'welcome' : 'wrong'
}

/** Takes the same time wherever the first difference is, and whatever the lengths. */
function same(expected: string, given: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(expected), hash(given))
}

/** Programs sign the URL of the stream where they ask for its track, so both pass for each other. */
function sameStream(signed: string, asked: string): boolean {
  if (signed === asked) return true
  const [one, other] = [targetOf(signed), targetOf(asked)]
  return one !== undefined && one.path === other?.path
}

function parametersOf(text: string): Map<string, string> {
  const pairs = text.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))/g)
  return new Map([...pairs].map(([, name = '', quoted, bare]) => [name, quoted ?? bare ?? '']))
}
