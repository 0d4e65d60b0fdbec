import { type ClientOptions, WebSocket } from 'ws'
import { type AgentUnderTest, startAgentUnderTest } from '../../e2e/agent-under-test.ts'
import type { RawAnswer } from '../../raw-connection.ts'

/** A real agent without services, and ways to its door. */
export interface AgentDoor {
  readonly agent: AgentUnderTest
  readonly origin: string
  readonly port: number
  /** A request by `fetch`, of a path. */
  ask(path: string, init?: RequestInit): Promise<Response>
}

/** Starts one. @param settings as with `--set` */
export async function agentDoor(
  settings: Readonly<Record<string, string>> = {},
): Promise<AgentDoor> {
  const agent = await startAgentUnderTest(settings)
  const { http: origin } = agent.running.addresses
  return {
    agent,
    origin,
    port: Number(new URL(origin).port),
    ask: (path, init) => fetch(`${origin}${path}`, init),
  }
}

/** How an upgrade is answered: 101, or the status and body of the refusal. */
export async function upgraded(
  url: string,
  options: ClientOptions = {},
  protocols: string[] = [],
): Promise<{ readonly status: number; readonly body: string; readonly socket: WebSocket }> {
  const socket = new WebSocket(url, protocols, options)
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ status: 101, body: '', socket }))
    socket.once('unexpected-response', async (_request, response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ status: response.statusCode ?? 0, body, socket })
    })
    socket.on('error', reject)
  })
}

/** The problem that an answer holds; anything else fails. */
export async function problemIn(answer: Response | RawAnswer) {
  const isFetched = answer instanceof Response
  const type = isFetched ? answer.headers.get('content-type') : answer.headers['content-type']
  if (type !== 'application/problem+json') throw new Error(`${answer.status} ${type} is no problem`)
  return isFetched ? answer.json() : JSON.parse(answer.body)
}
