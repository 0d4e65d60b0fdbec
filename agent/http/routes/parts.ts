import type { Outcome } from '../../control/router.ts'
import type { ServiceControl } from '../../control/service-control.ts'
import { stillAnswers } from '../../control/still-answers.ts'
import { serviceView } from '../../control/view.ts'
import type { CallAnswer, Handler, Handlers } from '../calls.ts'
import { computeAnswer, formOf, pictureOf } from '../compute-answer.ts'
import { checkPreconditions, etagOf } from '../guards.ts'
import type { HttpParts } from '../parts.ts'
import { serviceOf } from '../services.ts'

type Settable = 'input' | 'output' | 'model'
type Part = Settable | 'compute'
type OfPart = `${'GET' | 'PUT' | 'PATCH'} /${Settable}` | `${'GET' | 'PUT'} /compute`
type OfService<N extends string> = N extends `${infer M} ${infer P}`
  ? `${M} /services/{service}${P}`
  : never
type Control = HttpParts['control']

/** The paper's interface of one service, `/input`, `/output`, `/model` and `/compute`: the default one's, and each by name. */
export function partRoutes({
  control,
}: Pick<HttpParts, 'control'>): Handlers<OfPart | OfService<OfPart>> {
  const show = (part: Part) => showing(control, part)
  const set = (part: Settable) => changing(control, part, true)
  const merge = (part: Settable) => changing(control, part, false)
  const compute = computing(control)
  return {
    'GET /input': show('input'),
    'PUT /input': set('input'),
    'PATCH /input': merge('input'),
    'GET /output': show('output'),
    'PUT /output': set('output'),
    'PATCH /output': merge('output'),
    'GET /model': show('model'),
    'PUT /model': set('model'),
    'PATCH /model': merge('model'),
    'GET /compute': show('compute'),
    'PUT /compute': compute,
    'GET /services/{service}/input': show('input'),
    'PUT /services/{service}/input': set('input'),
    'PATCH /services/{service}/input': merge('input'),
    'GET /services/{service}/output': show('output'),
    'PUT /services/{service}/output': set('output'),
    'PATCH /services/{service}/output': merge('output'),
    'GET /services/{service}/model': show('model'),
    'PUT /services/{service}/model': set('model'),
    'PATCH /services/{service}/model': merge('model'),
    'GET /services/{service}/compute': show('compute'),
    'PUT /services/{service}/compute': compute,
  }
}

function showing(control: Control, part: Part): Handler {
  return async (call) => {
    const { id, service } = serviceOf(control, call)
    return shown(part, id, service)
  }
}

function changing(control: Control, part: Settable, replace: boolean): Handler {
  return async (call) => {
    const { id, service } = serviceOf(control, call)
    const outcome = await control.carryOut(
      { service: id, name: `${part}/set` },
      {
        args: call.body,
        answered: true,
        replace,
        guard: (now) => checkPreconditions(call.headers, part, now),
      },
    )
    return withIgnored(shown(part, id, service), outcome)
  }
}

function computing(control: Control): Handler {
  return async (call) => {
    const { id, service } = serviceOf(control, call)
    if (call.body === undefined && service.state.desired.compute === 'stop') {
      const form = formOf(call.headers.accept)
      const stills = await stillAnswers(service, pictureOf(form), call)
      if (stills) return computeAnswer(stills, form, call.path)
    }
    const outcome = await control.carryOut(
      { service: id, name: 'compute' },
      {
        args: call.body,
        answered: true,
        guard: (now) => checkPreconditions(call.headers, 'compute', now),
      },
    )
    if (outcome.data !== undefined) return withIgnored({ body: outcome.data }, outcome)
    const status = service.state.desired.compute === 'start' ? 202 : 200
    return withIgnored({ ...shown('compute', id, service), status }, outcome)
  }
}

function shown(part: Part, id: string, service: ServiceControl): CallAnswer {
  const view = serviceView(id, service)
  const { compute, state, streams } = view
  const body = part === 'compute' ? { compute, state, streams } : view[part]
  return { headers: { etag: etagOf(part, service) }, body }
}

/** Tells which fields of the body were ignored, as MQTT replies do. */
export function withIgnored(answer: CallAnswer, { unknown = [] }: Outcome): CallAnswer {
  if (unknown.length === 0) return answer
  const list = unknown.slice(0, 10).map(encodeURI).join(', ')
  return { ...answer, headers: { ...answer.headers, 'heliograph-ignored-fields': list } }
}
