import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { RouteName } from '../../schemas/routes.ts'

/** One request, its path and body checked. */
export interface Call {
  /** Values of the path's `{…}`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
  readonly headers: IncomingHttpHeaders
  /** As it was asked for, without its query. */
  readonly path: string
  /** The user's name, where callers must say who they are. */
  readonly caller: string | undefined
  /** Fires when the caller is gone before the answer is. */
  readonly signal: AbortSignal
  /** Of routes that take uploads: the files of the body, to be read one after the other. */
  uploads(): AsyncIterable<UploadedFile>
}

/** One file of a body. */
export interface UploadedFile {
  readonly content: Readable
  readonly name?: string
}

/** What a call gives; a body that is neither a stream nor bytes is sent as JSON. */
export interface CallAnswer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Carries out one call. @throws AgentError, Refusal: the answer is a problem */
export type Handler = (call: Call) => Promise<CallAnswer>

/** Handlers by route. */
export type Handlers<N extends RouteName = RouteName> = { readonly [K in N]: Handler }
