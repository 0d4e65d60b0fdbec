import type { RunningAgent } from '../../agent/main.ts'

/** An answer over HTTP, its JSON read. */
export interface WebAnswer {
  readonly status: number
  readonly headers: Headers
  /** Whatever JSON holds: the wire is what is tested. */
  readonly body: ReturnType<typeof JSON.parse>
}

/** Calls an agent over HTTP; a body that is no string is sent as JSON. */
export type WebCaller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<WebAnswer>

/** A caller of this agent. */
export function webCaller({ addresses }: Pick<RunningAgent, 'addresses'>): WebCaller {
  return async (method, path, body, headers = {}) => {
    const content = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${addresses.http}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: content }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    }
  }
}
