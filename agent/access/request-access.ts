import type { IncomingMessage } from 'node:http'
import type { Role } from '../../schemas/route.ts'
import type { Access, Caller, Denied } from './access.ts'

/** What a request shows of who sends it. */
export interface Asked {
  readonly role: Role
  /** Browsers cannot set headers on WebSockets and event streams: there, `?access_token=` will do. */
  readonly tokenInUrl: boolean
}

/** Finds out whether a request over HTTP may do what it asks (RFC 6750; its 2.3 where `tokenInUrl`). */
export async function admitRequest(
  access: Access,
  request: Pick<IncomingMessage, 'headers' | 'url' | 'socket'>,
  { role, tokenInUrl }: Asked,
): Promise<Caller | Denied> {
  const token =
    bearerOf(request.headers.authorization) ?? (tokenInUrl ? inUrl(request.url) : undefined)
  return access.admit({ token, address: request.socket.remoteAddress ?? '', role })
}

/** The header fields that go with a denial (RFC 6750, 3; RFC 9110, 10.2.3). */
export function denialHeaders({ status, error, retryS = 1 }: Denied): Record<string, string> {
  if (status === 429) return { 'retry-after': String(retryS) }
  const what = error ? `, error="${error}"` : ''
  return { 'www-authenticate': `Bearer realm="heliograph"${what}` }
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]{1,200})$/i.exec(header ?? '')?.[1]
}

function inUrl(url = ''): string | undefined {
  const query = url.slice(url.indexOf('?') + 1)
  return url.includes('?')
    ? (new URLSearchParams(query).get('access_token') ?? undefined)
    : undefined
}
