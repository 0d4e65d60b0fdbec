import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Route } from '../../schemas/route.ts'
import { routes } from '../../schemas/routes.ts'
import { AgentError } from '../core/errors.ts'
import { pathOf } from './add-routes.ts'
import { Refusal } from './problems.ts'

const table = Object.values<Route>(routes).map(({ method, path }) => {
  const segments = path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')
  return { method, shape: new RegExp(`^${segments}/?$`) }
})

/**
 * Answers a request that no route takes: where others are, with the methods that they have (RFC 9110, 9.3.7 and
 * 15.5.6). @throws AgentError NOT_FOUND, Refusal 405
 */
export function answerUnrouted(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { method } = request
  const path = pathOf(request)
  const allow = methodsAt(path).join(', ')
  if (allow === '') throw new AgentError('NOT_FOUND', `nothing is at ${method} ${path}`)
  if (method === 'OPTIONS') return reply.code(204).header('allow', allow).send()
  const message = `${method} is not for ${path}; allowed: ${allow}`
  throw new Refusal(405, message, { allow })
}

function methodsAt(path: string): string[] {
  const methods = table.filter(({ shape }) => shape.test(path)).map(({ method }) => method)
  return methods.flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : method))
}
