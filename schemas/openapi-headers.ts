import { isIdempotent, type Route } from './route.ts'

/** Headers of requests, as parameters by name. */
export const requestHeaders = {
  ifMatch: {
    name: 'If-Match',
    in: 'header',
    description:
      'The ETag of the configuration that is to be changed; if it is another by now: 412.',
    schema: { type: 'string' },
  },
  ifNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: only where there is nothing yet; else 412.',
    schema: { type: 'string' },
  },
  idempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'The same key within five minutes gets the same answer, and nothing is done twice.',
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  },
} as const

/** Headers of answers. */
export const answerHeaders = {
  etag: {
    description: 'Names what is wanted, not how it is; for If-Match.',
    schema: { type: 'string' },
  },
  ignoredFields: {
    description: 'Fields of the body that mean nothing here, as JSON pointers.',
    schema: { type: 'string' },
  },
  location: { description: 'Where it is.', schema: { type: 'string' } },
} as const

/** Which headers a request may have. @param isGuarded its path holds configuration, which has an ETag */
export function requestHeadersOf(
  route: Pick<Route, 'method' | 'uploads'>,
  isGuarded: boolean,
): object[] {
  if (!isIdempotent(route)) return []
  const guards = isGuarded ? (['ifMatch', 'ifNoneMatch'] as const) : []
  return [...guards, 'idempotencyKey' as const].map((name) => ({
    $ref: `#/components/parameters/${name}`,
  }))
}

/** Which headers an answer may have. */
export function answerHeadersOf(
  { body }: Pick<Route, 'body'>,
  status: number,
  isGuarded: boolean,
): Readonly<Record<string, object>> {
  const ref = (name: keyof typeof answerHeaders) => ({ $ref: `#/components/headers/${name}` })
  return {
    ...(isGuarded && status !== 204 ? { ETag: ref('etag') } : {}),
    ...(body && status !== 204 ? { 'Heliograph-Ignored-Fields': ref('ignoredFields') } : {}),
    ...(status === 201 ? { Location: ref('location') } : {}),
  }
}
