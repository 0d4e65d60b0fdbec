import { expect, it } from 'vitest'
import { startOnFreePorts } from '../../../agent/cli/free-ports.ts'
import { loadConfig } from '../../../agent/config.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import type { Config } from '../../../schemas/config.ts'

const either = { broker: false, http: false, rtsp: false }

async function configOf(mqtt: number, http: number): Promise<Config> {
  const flags = [
    { name: 'broker.port', text: String(mqtt), flag: '' },
    { name: 'http.port', text: String(http), flag: '' },
  ]
  return loadConfig({ flags, env: {}, cwd: '/nowhere' })
}

/** Fails as the broker does for the ports in `taken`. */
function starter(taken: readonly number[]) {
  return async ({ broker, http }: Config) => {
    const port = [broker.port, http.port].find((one) => taken.includes(one))
    if (port === undefined) return { mqtt: broker.port, http: http.port }
    const cause = Object.assign(new Error(), { code: 'EADDRINUSE', port })
    throw new AgentError('CONFIG_INVALID', `port ${port} is taken by 'x' (pid 1); stop it`, {
      cause,
    })
  }
}

it('takes the next port for each that is taken, and says so', async () => {
  const said: string[] = []
  const start = starter([4000, 4001, 5000])
  const ports = await startOnFreePorts(await configOf(4000, 5000), either, start, (line) =>
    said.push(line),
  )
  expect(ports).toEqual({ mqtt: 4002, http: 5001 })
  expect(said).toEqual([
    "port 4000 is taken by 'x' (pid 1); using 4001",
    "port 4001 is taken by 'x' (pid 1); using 4002",
    "port 5000 is taken by 'x' (pid 1); using 5001",
  ])
})

it('does not take the port that the other server has', async () => {
  const ports = await startOnFreePorts(
    await configOf(4000, 4001),
    either,
    starter([4000]),
    () => {},
  )
  expect(ports).toEqual({ mqtt: 4002, http: 4001 })
})

it('does not move a port that was chosen', async () => {
  const config = await configOf(4000, 5000)
  const start = startOnFreePorts(
    config,
    { broker: true, http: false, rtsp: false },
    starter([4000]),
    () => {},
  )
  await expect(start).rejects.toThrow("port 4000 is taken by 'x'")
})

it('leaves other failures as they are', async () => {
  const start = () => Promise.reject(new AgentError('CONFIG_INVALID', 'the data folder is taken'))
  await expect(
    startOnFreePorts(await configOf(4000, 5000), either, start, () => {}),
  ).rejects.toThrow('the data folder is taken')
})
