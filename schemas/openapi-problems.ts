import { type ErrorCode, errorCodes } from './errors.ts'
import { type RefusalStatus, refusals, statusOf } from './problems.ts'
import { isIdempotent, type Route } from './route.ts'

/**
 * The problems that a route can answer, as its responses by status: those that its shape implies, and those that it
 * says its work may end in. @param isGuarded its path holds configuration, which has an ETag
 */
export function problemsOf(route: Route, isGuarded: boolean): Readonly<Record<string, object>> {
  const all = [...implied(route, isGuarded), ...(route.fails ?? [])].map(described)
  const statuses = [...new Set(all.map(({ status }) => status))]
  return Object.fromEntries(
    statuses
      .filter((status) => !Object.hasOwn(route.answers, status))
      .map((status) => {
        const texts = all.filter((one) => one.status === status).map(({ text }) => text)
        const description = [...new Set(texts)].join('\n\n')
        return [status, { $ref: '#/components/responses/problem', description }]
      }),
  )
}

type Failure = ErrorCode | RefusalStatus

function implied(route: Route, isGuarded: boolean): Failure[] {
  const { method, path, tag, role, params, query, uploads, answers } = route
  const changes = method !== 'GET'
  const isNew = Object.hasOwn(answers, 201)
  const ofService = path.includes('{service}') || tag === 'default service'
  return [
    403,
    429,
    ...(role === 'anyone' ? [] : [401 as const]),
    ...(changes || params || query ? ['MESSAGE_INVALID' as const] : []),
    ...(ofService && !isNew ? ['NOT_FOUND' as const] : []),
    ...(tag === 'default service' ? ['CONFLICT' as const] : []),
    ...(changes ? [413 as const, 415 as const] : []),
    ...(changes && isGuarded ? [412 as const] : []),
    ...(isIdempotent(route) ? [422 as const] : []),
    ...(uploads ? [507 as const] : []),
  ]
}

function described(failure: Failure): { readonly status: number; readonly text: string } {
  if (typeof failure === 'number') {
    const { code, meaning } = refusals[failure]
    return { status: failure, text: `\`${code}\`: ${meaning}` }
  }
  return { status: statusOf[failure], text: `\`${failure}\`: ${errorCodes[failure].meaning}` }
}
