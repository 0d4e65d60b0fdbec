import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Aedes } from 'aedes'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AgentClient, ClientParts } from '../../../agent/client/agent-client.ts'
import { openClient } from '../../../agent/client/open-client.ts'

/** A broker that is nobody's, with what these agents have announced. */
async function brokerWith(states: Readonly<Record<string, string>>) {
  const broker = await Aedes.createBroker()
  const server = createServer(broker.handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await new Promise<void>((resolve) => broker.close(resolve))
    server.close()
  })
  const retain = (topic: string, value: object) =>
    new Promise<void>((resolve, reject) => {
      const payload = JSON.stringify(value)
      const packet = { cmd: 'publish', topic, payload, qos: 1, retain: true, dup: false } as const
      broker.publish(packet, (error) => (error ? reject(error) : resolve()))
    })
  for (const [agent, state] of Object.entries(states)) {
    await retain(`edge/1/${agent}/$state`, { state, boot: agent, at: 0 })
    await retain(`edge/1/${agent}/$info`, { agent, services: [] })
  }
  const port = (server.address() as AddressInfo).port
  const open = async (parts: Partial<ClientParts> = {}): Promise<AgentClient> => {
    const url = new URL(`mqtt://127.0.0.1:${port}`)
    const client = await openClient({ url, timeoutMs: 500, ...parts })
    onTestFinished(() => client.close())
    return client
  }
  return { broker, port, open }
}

describe('several agents on one broker', () => {
  it('are told apart by name', async () => {
    const { open } = await brokerWith({ north: 'ready', south: 'ready' })
    const client = await open({ agent: 'south' })
    expect(await client.info()).toMatchObject({ agent: 'south' })
  })

  it('must be told apart, and are listed', async () => {
    const { open } = await brokerWith({ north: 'ready', south: 'ready', west: 'lost' })
    await expect(open()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/--agent: .*north \(ready\).*south \(ready\)/),
    })
  })

  it('need not be told apart where only one is there', async () => {
    const { open } = await brokerWith({ north: 'ready', south: 'lost', east: 'disconnected' })
    expect(await (await open()).info()).toMatchObject({ agent: 'north' })
  })
})

describe('an agent that does not answer', () => {
  it('is missed on a broker that has none', async () => {
    const { open } = await brokerWith({})
    await expect(open()).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      message: expect.stringMatching(/no agent is ready on mqtt:\/\/.*is it running.*port/),
    })
  })

  it('is missed by its name, with the names of those that are there', async () => {
    const { open } = await brokerWith({ north: 'ready', south: 'lost' })
    await expect(open({ agent: 'south' })).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      message: expect.stringMatching(/no agent 'south' .*north \(ready\), south \(lost\)/),
    })
  })

  it('is given up after the time that it has', async () => {
    const { open } = await brokerWith({ north: 'ready' })
    await expect((await open()).ping()).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/\$cmd\/ping got no answer from mqtt:.* within 0.5 s/),
    })
  })

  it('is given up at once when its broker goes away', async () => {
    const { broker, open } = await brokerWith({ north: 'ready' })
    const client = await open({ timeoutMs: 60_000 })
    const asked = client.ping()
    broker.close()
    await expect(asked).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' })
  })

  it('is missed where nothing listens, without the password in the message', async () => {
    const url = new URL('mqtt://me:secret@127.0.0.1:1')
    const failure = await openClient({ url }).catch((error: Error) => error)
    expect(failure).toMatchObject({ code: 'AGENT_UNREACHABLE' })
    expect(String(failure)).toContain('mqtt://127.0.0.1:1: nothing listens there')
    expect(String(failure)).not.toContain('secret')
  })
})

it('is who its token says, and says so where the broker refuses it', async () => {
  const { broker, open } = await brokerWith({ north: 'ready' })
  broker.authenticate = (_client, user, password, done) =>
    done(null, user === 'token' && String(password) === 'right')
  expect(await (await open({ token: 'right' })).info()).toMatchObject({ agent: 'north' })
  const failure = await open({ token: 'wrong-one' }).catch((error: Error) => error)
  expect(failure).toMatchObject({ code: 'NOT_AUTHORIZED' })
  expect(String(failure)).not.toContain('wrong-one')
})

it('refuses what no topic can do, naming the door that can', async () => {
  const { open } = await brokerWith({ north: 'ready' })
  const client = await open()
  const etag = { ifMatch: '"x"' }
  for (const refused of [
    client.compute({ action: 'stop' }, etag),
    client.removeService('gate', etag),
    client.draw({ name: 'a.jpg', open: async function* () {} }),
  ]) {
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('needs HTTP: use --url http://'),
    })
  }
})
