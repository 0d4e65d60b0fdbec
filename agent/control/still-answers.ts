import type { OnceAnswer } from '../service/messages.ts'
import { inOrder } from './in-order.ts'
import type { OnceOptions, OnceRequest } from './once-requests.ts'
import type { ServiceControl } from './service-control.ts'

type Answers = AsyncGenerator<OnceAnswer, void, void>

/** Sources that never are a still, told by their URL. */
const moving =
  /^(rtsps?|rtmps?|device|mqtt|synthetic):|\.(mp4|m4v|mkv|mov|avi|webm|ts|m3u8|mjpe?g)([?#]|$)/i

/**
 * The results of all inputs of a service, where each is a still or several; undefined where one moves, so that
 * there is a stream to watch instead. They go to the service's outputs too.
 * @throws AgentError as `ServiceControl.once`
 */
export async function stillAnswers(
  service: Pick<ServiceControl, 'state' | 'once'>,
  wanted: Pick<OnceRequest, 'picture' | 'tag'>,
  options: OnceOptions,
): Promise<Answers | undefined> {
  const inputs = Object.entries(service.state.desired.inputs)
  if (inputs.length === 0 || inputs.some(([, { url }]) => moving.test(url))) return
  const asked = inputs.map(([input, spec]) =>
    service.once({ ...wanted, input, spec, stillsOnly: true, publish: true }, options),
  )
  const firsts = await Promise.allSettled(asked.map((answers) => answers.next()))
  const begun = asked.map((answers, at) => () => continued(firsts[at], answers))
  if (!firsts.some((first) => first.status === 'fulfilled' && first.value.done)) {
    return inOrder(begun, begun.length)
  }
  await Promise.all(asked.map((answers) => answers.return()))
  return
}

async function* continued(
  first: PromiseSettledResult<IteratorResult<OnceAnswer, void>> | undefined,
  rest: Answers,
): Answers {
  try {
    if (first?.status === 'rejected') throw first.reason
    if (first?.value.value) yield first.value.value
    yield* rest
  } finally {
    await rest.return()
  }
}
