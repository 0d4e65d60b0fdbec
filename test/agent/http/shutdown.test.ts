import { afterAll, expect, it } from 'vitest'
import { rawConnection, rawRequest } from '../../raw-connection.ts'
import { upgraded } from './agent-door.ts'
import { type AgentProcess, agentProcess } from './agent-process.ts'

const begun: AgentProcess[] = []
async function begin(settings: readonly string[] = []): Promise<AgentProcess> {
  const agent = await agentProcess(settings)
  begun.push(agent)
  return agent
}
afterAll(() => Promise.all(begun.map((agent) => agent.stop())))

it('SIGTERM finishes a request that was accepted, and ends what would never end', async () => {
  const agent = await begin()
  const { socket } = await upgraded(`ws://127.0.0.1:${agent.httpPort}/mqtt`, {}, ['mqtt'])
  const ended = new Promise((resolve) => socket.once('close', resolve))
  const { send, answers, closed } = await rawConnection(agent.httpPort)
  const body = '{"input": "synthetic:", "compute": "stop"}'
  await send(rawRequest('PUT /services/late', [`Content-Length: ${body.length}`], body.slice(0, 9)))
  await agent.serves()
  const stopped = agent.stop()
  const isClosed = async () => (await rawConnection(agent.httpPort)).socket.destroyed
  await expect.poll(isClosed, { timeout: 8000 }).toBe(true)
  await send(body.slice(9))
  const [answer] = await answers(1)
  expect(answer).toMatchObject({ status: 201, headers: { connection: 'close' } })
  await closed
  await ended
  expect((await stopped).code).toBe(0)
})

it('SIGTERM waits no longer than http.limits.drainMs for a body that does not come', async () => {
  const agent = await begin(['http.limits.drainMs=300'])
  const { send, closed } = await rawConnection(agent.httpPort)
  await send(rawRequest('PUT /services/late', ['Content-Length: 9']))
  await agent.serves()
  expect((await agent.stop()).code).toBe(0)
  expect(await closed).toBe('')
})
