import type { ErrorCode } from './errors.ts'
import { Problem } from './http.ts'
import type { RefusalStatus } from './problems.ts'
import type { TObject, TSchema } from './typebox.ts'

/** Who may call a route, where clients authenticate: each may do what the ones before it may. */
export type Role = 'anyone' | 'viewer' | 'operator' | 'admin'

/** What a route answers. */
export interface Answer {
  readonly description: string
  /** Of a body in JSON. */
  readonly schema?: TSchema
  /** Media types of bodies that are no JSON. */
  readonly content?: readonly string[]
}

/** One call of the HTTP interface. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** `{name}` is one segment. */
  readonly path: string
  readonly tag: 'default service' | 'services' | 'models' | 'agent'
  readonly summary: string
  readonly role: Role
  readonly params?: TObject
  readonly query?: TObject
  /** In JSON; a text that is no JSON is taken as a string. */
  readonly body?: TSchema
  /** Without a body it means something, too. */
  readonly bodyOptional?: true
  /** Media types of bodies that are no JSON. */
  readonly uploads?: readonly string[]
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>
  /** What its work may end in, besides what its shape implies (`openapi-problems.ts`). */
  readonly fails?: readonly (ErrorCode | RefusalStatus)[]
}

/** Whether a request may carry an Idempotency-Key: it changes something, and is short enough to be compared. */
export function isIdempotent({ method, uploads }: Pick<Route, 'method' | 'uploads'>): boolean {
  return method !== 'GET' && uploads === undefined
}

/** Problems that any call may end in. */
export const problemAnswer: Answer = {
  description: 'What went wrong, and its cure.',
  schema: Problem,
}

/** A call that has one answer, in JSON. */
export const ok = (description: string, schema: TSchema) => ({ 200: { description, schema } })
