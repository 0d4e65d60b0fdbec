import type { Handlers } from '../calls.ts'
import type { HttpParts } from '../parts.ts'

/** What concerns the whole agent: models, and itself. */
export function agentRoutes({
  control,
  info,
}: Pick<HttpParts, 'control' | 'info'>): Handlers<
  'GET /models' | 'POST /models' | 'GET /info' | 'GET /ping'
> {
  const command = async (name: string, args: unknown) => {
    const { data } = await control.carryOut({ command: name }, { args, answered: true })
    return { body: data }
  }
  return {
    'GET /models': () => command('models/list', undefined),
    'POST /models': ({ body }) => command('models/pull', body),
    'GET /info': async () => ({ body: info() }),
    'GET /ping': () => command('ping', undefined),
  }
}
