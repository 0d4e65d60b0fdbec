import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { controlTopic, inbox, ownTopic, type TestBroker, testBroker } from '../broker/harness.ts'
import { needs } from './needs.ts'

const installed = needs('mosquitto_sub', 'mosquitto-clients')
const run = promisify(execFile)

interface Listener {
  readonly child: ChildProcess
  /** What it printed, by line: flags, topic and payload. */
  readonly lines: ReturnType<typeof inbox<string>>
}

/** mosquitto_sub that is subscribed; prints `retain qos topic payload`. */
async function listen({ ports, bus }: TestBroker, args: readonly string[]): Promise<Listener> {
  // It flushes its output with each message only, so a message tells when it is subscribed.
  bus.publish('probe', 'x', { qos: 0, retain: true })
  const all = ['-p', String(ports.mqtt), '-F', '%r %q %t %p', '-t', 'probe', ...args]
  const child = spawn('mosquitto_sub', all, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  const lines = inbox<string>()
  await new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      if (line.endsWith(' probe x')) resolve()
      else lines.add(line)
    })
  })
  return { child, lines }
}

function publish({ ports }: TestBroker, ...args: string[]): Promise<{ stderr: string }> {
  return run('mosquitto_pub', ['-p', String(ports.mqtt), ...args])
}

describe.skipIf(!installed)('mosquitto_pub and mosquitto_sub', () => {
  it.each([
    ['0', 'mqttv311'],
    ['1', 'mqttv311'],
    ['2', 'mqttv311'],
    ['1', 'mqttv31'],
  ])('exchange a message of QoS %s (%s)', async (qos, version) => {
    const broker = await testBroker()
    const { lines } = await listen(broker, ['-V', version, '-q', qos, '-t', 'a/+'])
    await publish(broker, '-V', version, '-q', qos, '-t', 'a/b', '-m', 'hello')
    await lines.until((items) => items.length > 0)
    expect(lines.items).toEqual([`0 ${qos} a/b hello`])
  })

  it('are told what is retained, until it is cleared', async () => {
    const broker = await testBroker()
    await publish(broker, '-q', '1', '-r', '-t', 'a/kept', '-m', 'kept')
    await publish(broker, '-q', '1', '-r', '-t', 'a/cleared', '-m', 'cleared')
    await publish(broker, '-q', '1', '-r', '-t', 'a/cleared', '-n')
    const { lines } = await listen(broker, ['-q', '1', '-t', 'a/#'])
    await publish(broker, '-q', '1', '-t', 'a/end', '-m', 'end')
    await lines.until((items) => items.some((line) => line.endsWith('end')))
    expect(lines.items).toEqual(['1 1 a/kept kept', '0 1 a/end end'])
  })

  it('leave a Will when they are killed, and none when they leave', async () => {
    const broker = await testBroker()
    const { lines } = await listen(broker, ['-q', '1', '-t', 'last/#'])
    const will = ['--will-topic', 'last/words', '--will-qos', '1', '--will-payload']
    const leaves = await listen(broker, ['-t', 'x', ...will, 'left'])
    leaves.child.kill('SIGINT')
    await once(leaves.child, 'exit')
    const dies = await listen(broker, ['-t', 'x', ...will, 'died'])
    dies.child.kill('SIGKILL')
    await lines.until((items) => items.length > 0)
    expect(lines.items).toEqual(['0 1 last/words died'])
  })

  it('find in their session what they missed', async () => {
    const broker = await testBroker()
    const session = ['-i', 'session', '-c', '-q', '1', '-t', 'a/#']
    const first = await listen(broker, session)
    first.child.kill('SIGINT')
    await once(first.child, 'exit')
    await publish(broker, '-q', '1', '-t', 'a/b', '-m', 'missed')
    const { lines } = await listen(broker, session)
    await lines.until((items) => items.length > 0)
    expect(lines.items).toEqual(['0 1 a/b missed'])
  })

  it('send a picture of 1.9 MB whole', async () => {
    const broker = await testBroker()
    const { lines } = await listen(broker, ['-t', 'pictures/#'])
    const sender = spawn('mosquitto_pub', [
      '-p',
      String(broker.ports.mqtt),
      '-t',
      'pictures/1',
      '-s',
    ])
    sender.stdin.end('x'.repeat(1_900_000))
    const [line] = await lines.until((items) => items.length > 0)
    expect(line).toHaveLength('0 0 pictures/1 '.length + 1_900_000)
  })

  it.each(['0', '1', '2'])(
    'think that a forged state (QoS %s) was published, and nobody gets it',
    async (qos) => {
      const broker = await testBroker()
      const { lines } = await listen(broker, ['-q', '2', '-t', '#'])
      await publish(broker, '-q', qos, '-r', '-t', ownTopic, '-m', 'forged')
      await publish(broker, '-q', '2', '-t', 'end', '-m', 'end')
      await lines.until((items) => items.length > 0)
      expect(lines.items).toEqual(['0 2 end end'])
      expect(broker.refusals.items).toHaveLength(1)
    },
  )

  it('control the agent', async () => {
    const broker = await testBroker()
    await publish(broker, '-q', '1', '-t', controlTopic, '-m', 'rtsp://camera/1')
    expect(broker.controls.items.map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      'rtsp://camera/1',
    ])
  })

  it('are told that MQTT 5 is not spoken', async () => {
    const broker = await testBroker()
    const failure = await publish(broker, '-V', 'mqttv5', '-t', 'a', '-m', 'x').catch(
      (error) => error,
    )
    expect(failure.stderr).toContain('Unsupported Protocol Version')
  })
})
