import type { Handler, Handlers } from '../calls.ts'
import type { HttpParts } from '../parts.ts'

/** The descriptions of both interfaces. Each is made when it is first asked for, and kept: that takes some 20 ms. */
export function documentRoutes({
  info,
}: Pick<HttpParts, 'info'>): Handlers<'GET /openapi.json' | 'GET /asyncapi.json'> {
  return {
    'GET /openapi.json': made(async () => {
      const { openApi } = await import('../../../schemas/openapi.ts')
      return openApi(info().version)
    }),
    'GET /asyncapi.json': made(async () => {
      const { asyncApi } = await import('../../../schemas/asyncapi.ts')
      return asyncApi(info().version)
    }),
  }
}

function made(document: () => Promise<object>): Handler {
  let text: Promise<string> | undefined
  return async () => {
    text ??= document().then((value) => JSON.stringify(value))
    return { body: await text }
  }
}
