import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Role } from '../../schemas/route.ts'
import { admitRequest, denialHeaders } from '../access/request-access.ts'
import type { HttpParts } from './parts.ts'
import { Refusal } from './problems.ts'

/** What a route says of who may call it. */
export interface RouteAccess {
  readonly role?: Role
  /** The route is one that browsers open without being able to set headers. */
  readonly tokenInUrl?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteAccess {}
  interface FastifyRequest {
    /** The user's name, where callers must say who they are. */
    caller: string | undefined
  }
}

/**
 * Lets a request pass if its route's role allows. A route that names no role, and a path where nothing is, is for
 * viewers where it reads and for admins where it changes.
 */
export function admitCallers(app: FastifyInstance, { access }: Pick<HttpParts, 'access'>): void {
  app.decorateRequest('caller', undefined)
  if (!access.required) return
  app.addHook('onRequest', async (request) => {
    const { role = usualRole(request), tokenInUrl = false } = accessOf(request)
    const admitted = await admitRequest(access, request.raw, { role, tokenInUrl })
    if (!('status' in admitted)) {
      request.caller = admitted.name
      return
    }
    throw new Refusal(admitted.status, admitted.reason, denialHeaders(admitted))
  })
}

function accessOf({ routeOptions }: FastifyRequest): RouteAccess {
  return (routeOptions.config ?? {}) as RouteAccess
}

function usualRole({ method }: FastifyRequest): Role {
  return method === 'GET' || method === 'HEAD' ? 'viewer' : 'admin'
}
