import { type Document, operationsOf } from '../schemas/openapi-document.ts'
import { linesIn } from './exposition-lines.ts'

/**
 * Statuses that an agent has answered on its routes so far and does not document, as `PUT /input 418`: its own
 * metrics, against its own document. What is refused before there is a route (malformed HTTP, say) is in neither.
 * @throws where no route has answered anything but 200
 */
export async function undocumented(origin: string, token?: string): Promise<string[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const read = async (path: string) => {
    const answer = await fetch(`${origin}${path}`, { headers })
    if (!answer.ok) throw new Error(`GET ${path} gave ${answer.status}`)
    return answer.text()
  }
  const document: Document = JSON.parse(await read('/openapi.json'))
  const responses = new Map(
    operationsOf(document).map(({ name, operation }) => [name, operation.responses]),
  )
  const answered = linesIn(await read('/metrics'))
    .filter(({ name }) => name === 'heliograph_http_requests_total')
    .map(({ labels: { method = '', route, status = '' } }) => ({
      // An answer to HEAD is that to GET without its body.
      name: `${method === 'HEAD' ? 'GET' : method} ${route}`,
      status,
    }))
    .filter(({ name }) => responses.has(name))
  if (answered.every(({ status }) => status === '200')) throw new Error('nothing else than 200')
  return answered
    .filter(({ name, status }) => !Object.hasOwn(responses.get(name) ?? {}, status))
    .map(({ name, status }) => `${name} ${status}`)
}
