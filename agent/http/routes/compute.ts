import { inOrder } from '../../control/in-order.ts'
import { AgentError } from '../../core/errors.ts'
import type { Call, Handler, Handlers } from '../calls.ts'
import { computeAnswer, formOf, pictureOf } from '../compute-answer.ts'
import type { HttpParts } from '../parts.ts'
import { serviceOf } from '../services.ts'
import { type Spool, spool, type Upload } from '../spool.ts'

type Parts = Pick<HttpParts, 'control' | 'config' | 'uploadFolder'>

/** Pictures of one request that are worked on at once, besides the one whose turn it is. */
const AHEAD = 3

/** `POST /compute`: uploads in, results or annotated pictures out. */
export function uploadRoutes(
  parts: Parts,
): Handlers<'POST /compute' | 'POST /services/{service}/compute'> {
  const files = spool(parts.uploadFolder, parts.config)
  const compute = computing(parts, files)
  return { 'POST /compute': compute, 'POST /services/{service}/compute': compute }
}

interface Taken {
  readonly upload: Upload
  readonly name?: string
}

function computing({ control }: Parts, files: Spool): Handler {
  return async (call) => {
    const named = serviceOf(control, call)
    const form = formOf(call.headers.accept)
    const picture = pictureOf(form)
    const taken = await takeAll(call, files)
    const done = () => Promise.all(taken.map(({ upload }) => upload.remove()))
    const several = taken.length > 1
    const sources = taken.map(({ upload, name }) => () => {
      const tag = call.query.tag ?? (several ? name : undefined)
      return named.service.once(
        {
          spec: { url: upload.url },
          upload: true,
          publish: false,
          ...picture,
          ...(tag === undefined ? {} : { tag: tag.slice(0, 256) }),
        },
        { signal: call.signal },
      )
    })
    return computeAnswer(ending(inOrder(sources, AHEAD), done), form, call.path)
  }
}

/** Every file of the body, in files of ours; all or none. @throws AgentError MESSAGE_INVALID; Refusal 413, 507 */
async function takeAll(call: Call, files: Spool): Promise<Taken[]> {
  const taken: Taken[] = []
  try {
    for await (const { content, name } of call.uploads()) {
      const upload = await files.take(content)
      taken.push({ upload, ...(name === undefined ? {} : { name }) })
    }
  } catch (error) {
    await Promise.all(taken.map(({ upload }) => upload.remove()))
    throw error
  }
  if (taken.length > 0) return taken
  throw new AgentError('MESSAGE_INVALID', 'the body holds no file: send a picture or a video')
}

async function* ending<T>(
  items: AsyncGenerator<T, void, void>,
  done: () => Promise<unknown>,
): AsyncGenerator<T, void, void> {
  try {
    yield* items
  } finally {
    await done()
  }
}
