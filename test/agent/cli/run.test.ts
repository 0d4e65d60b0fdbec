import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { resolve } from 'node:path'
import { connectAsync } from 'mqtt'
import { beforeAll, describe, expect, it } from 'vitest'
import { defaultModel } from '../../model-cache.ts'
import { heliograph, type Running, scratch, start } from './heliograph.ts'

const anyPorts = ['--mqtt-port', '0', '--http-port', '0', '--rtsp-port', '0']
const clip = resolve('examples/media/dog.mp4')

const runIn = async (...args: string[]): Promise<Running> =>
  start(['run', '--data', await scratch(), ...anyPorts, ...args])

/** As Ctrl-C does: to the whole process group of the terminal. */
function signalGroup({ process: { pid } }: Running, signal: NodeJS.Signals): void {
  process.kill(-(pid ?? Number.NaN), signal)
}

function groupIsGone({ process: { pid } }: Running): boolean {
  try {
    process.kill(-(pid ?? Number.NaN), 0)
    return false
  } catch {
    return true
  }
}

beforeAll(async () => {
  await defaultModel()
})

describe('run', { timeout: 60_000 }, () => {
  it('ends in good order on SIGTERM', async () => {
    const agent = await runIn()
    await agent.prints(/agent ready/)
    agent.process.kill('SIGTERM')
    const { code, stderr } = await agent.ended
    expect(code).toBe(0)
    expect(stderr).toContain('agent stopped')
  })

  it('ends with its services on Ctrl-C, in the middle of inference', async () => {
    const input = JSON.stringify({ clip: { url: clip, loop: true } })
    const roots = `sources.roots=${resolve('examples/media')}`
    const agent = await runIn('--set', `services.gate.input=${input}`, '--set', roots)
    const [, port] = await agent.prints(/"mqtt":"mqtt:\/\/127\.0\.0\.1:(\d+)"/)
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`)
    client.subscribe('edge/1/+/gate/detections/clip')
    await new Promise<unknown>((resolve) => client.once('message', resolve))
    await client.endAsync(true)
    signalGroup(agent, 'SIGINT')
    expect(await agent.ended).toMatchObject({ code: 0 })
    expect(groupIsGone(agent)).toBe(true)
  })

  it('ends at once on a second signal', async () => {
    const agent = await runIn()
    await agent.prints(/agent ready/)
    agent.process.kill('SIGINT')
    agent.process.kill('SIGTERM')
    const { code, stderr } = await agent.ended
    // Of two signals that wait, the kernel may hand over either first.
    expect([130, 143]).toContain(code)
    expect(stderr).not.toContain('agent stopped')
  })

  it('ends with 2 where a port is taken, naming who has it and which flag moves it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await heliograph([
      'run',
      '--data',
      await scratch(),
      '--mqtt-port',
      `${port}`,
    ])
    server.close()
    expect(code).toBe(2)
    expect(stderr).toMatch(
      new RegExp(`port ${port} .*taken by '.*' \\(pid ${process.pid}\\).*--mqtt-port`),
    )
  })
})

describe('run --demo', { timeout: 120_000 }, () => {
  it('shows what is seen, takes a change, and leaves nothing behind', async () => {
    const folder = await scratch()
    const ports = ['--set', 'broker.port=0', '--set', 'http.port=0']
    const demo = start(['run', '--demo', ...ports], { TMPDIR: folder })
    await demo.prints(/^demo\/clip +\d+\.\d fps {2}dog \d+ %$/m)
    const [, port = '', topic = '', input = ''] = await demo.prints(
      /mosquitto_pub -h 127\.0\.0\.1 -p (\d+) -t '(.*)' -m '(.*)'/,
    )
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`)
    await client.publishAsync(topic, input, { qos: 1 })
    await demo.prints(/^demo\/default +\d+\.\d fps {2}\d+ × car \d+ %/m)
    await client.endAsync(true)
    signalGroup(demo, 'SIGINT')
    expect(await demo.ended).toMatchObject({ code: 0 })
    expect(groupIsGone(demo)).toBe(true)
    expect(await readdir(folder)).toEqual([])
  })

  it('takes the next port where one is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const demo = start(['run', '--demo', '--set', `broker.port=${port}`, '--set', 'http.port=0'])
    const [, next] = await demo.prints(
      new RegExp(`port ${port} .*\\(pid ${process.pid}\\); using (\\d+)`),
    )
    await demo.prints(new RegExp(`mosquitto_sub -h 127.0.0.1 -p ${next} `))
    demo.process.kill('SIGTERM')
    expect(await demo.ended).toMatchObject({ code: 0 })
    server.close()
  })
})
