import type { ModelView } from '../../../schemas/http.ts'
import type { StoredModel } from '../../store/store.ts'
import type { Handlers } from '../calls.ts'
import type { HttpParts } from '../parts.ts'

/** What concerns the whole agent: models, and itself. */
export function agentRoutes({
  control,
  store,
  info,
}: Pick<HttpParts, 'control' | 'store' | 'info'>): Handlers<
  'GET /models' | 'POST /models' | 'GET /info' | 'GET /ping'
> {
  const command = async (name: string, args: unknown) => {
    const { data } = await control.carryOut({ command: name }, { args, answered: true })
    return { body: data }
  }
  return {
    'GET /models': async () => ({ body: (await store.list()).map(modelView) }),
    'POST /models': ({ body }) => command('models/pull', body),
    'GET /info': async () => ({ body: info() }),
    'GET /ping': () => command('ping', undefined),
  }
}

function modelView({ manifest, state, bytes }: StoredModel): ModelView {
  const { id, task, family, licence, labels } = manifest
  return {
    ...{ id, task, family, licence, state },
    labels: labels.filter((label) => label !== null),
    ...(bytes === undefined ? {} : { bytes }),
  }
}
