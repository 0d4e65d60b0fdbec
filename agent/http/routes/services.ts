import type { Order } from '../../control/router.ts'
import { serviceView } from '../../control/view.ts'
import { AgentError } from '../../core/errors.ts'
import type { Call, CallAnswer, Handler, Handlers } from '../calls.ts'
import { checkPreconditions, etagOf } from '../guards.ts'
import type { HttpParts } from '../parts.ts'
import { absent, serviceOf } from '../services.ts'
import { withIgnored } from './parts.ts'

type Control = HttpParts['control']

/** Making, reading, changing and removing services. */
export function serviceRoutes({
  control,
}: Pick<HttpParts, 'control'>): Handlers<
  'GET /services' | 'POST /services' | `${'GET' | 'PUT' | 'PATCH' | 'DELETE'} /services/{service}`
> {
  return {
    'GET /services': async () => ({
      body: [...control.services].map(([id, service]) => serviceView(id, service)),
    }),
    'POST /services': adding(control),
    'GET /services/{service}': async (call) => shown(control, call),
    'PUT /services/{service}': putting(control),
    'PATCH /services/{service}': patching(control),
    'DELETE /services/{service}': removing(control),
  }
}

function adding(control: Control): Handler {
  return async (call) => {
    const outcome = await add(control, call.body, {
      guard(service) {
        if (!service) return
        const message = 'a service of this name is there already; PATCH changes it'
        throw new AgentError('CONFLICT', message)
      },
    })
    const { service: id } = call.body as { readonly service: string }
    return withIgnored(created(shown(control, { params: { service: id } }), id), outcome)
  }
}

function putting(control: Control): Handler {
  return async (call) => {
    const { service: id = '' } = call.params
    let isNew = false
    const outcome = await add(control, named(call), {
      replace: true,
      guard(service) {
        checkPreconditions(call.headers, 'service', service)
        isNew = service === undefined
      },
    })
    const answer = shown(control, call)
    return withIgnored(isNew ? created(answer, id) : answer, outcome)
  }
}

function patching(control: Control): Handler {
  return async (call) => {
    const outcome = await add(control, named(call), {
      guard(service) {
        if (!service) throw absent(control.services, call.params.service ?? '')
        checkPreconditions(call.headers, 'service', service)
      },
    })
    return withIgnored(shown(control, call), outcome)
  }
}

function removing(control: Control): Handler {
  return async ({ params, headers }) => {
    await control.carryOut(
      { command: 'service/remove' },
      {
        args: { service: params.service },
        answered: true,
        guard: (service) => checkPreconditions(headers, 'service', service),
      },
    )
    return { status: 204 }
  }
}

function add(control: Control, args: unknown, order: Pick<Order, 'guard' | 'replace'>) {
  return control.carryOut({ command: 'service/add' }, { ...order, args, answered: true })
}

/** The body, with the name that the path has. @throws AgentError MESSAGE_INVALID */
function named({ body = {}, params }: Call): object {
  if (typeof body === 'object' && body !== null) return { ...body, ...params }
  throw new AgentError(
    'MESSAGE_INVALID',
    'the body must be an object: model, input, output, compute',
  )
}

function shown(control: Control, call: Pick<Call, 'params'>): CallAnswer {
  const { id, service } = serviceOf(control, call)
  return { headers: { etag: etagOf('service', service) }, body: serviceView(id, service) }
}

function created(answer: CallAnswer, id: string): CallAnswer {
  return { ...answer, status: 201, headers: { ...answer.headers, location: `/services/${id}` } }
}
