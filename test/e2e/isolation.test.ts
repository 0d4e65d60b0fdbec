import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'

let agent: AgentUnderTest

beforeAll(async () => {
  agent = await startAgentUnderTest({ 'metrics.intervalMs': '500' })
  const input = { url: media('dog.mp4'), loop: true, fps: 10 }
  await agent.ask('$cmd/service/add', { service: 'healthy', input })
  await agent.next('healthy/detections/default', undefined, 0)
}, 60_000)
afterAll(async () => {
  await agent.stop()
})

const pidOf = async (service: string): Promise<number> => {
  const metrics = await agent.next('$metrics', ({ services }) => services[service]?.pid > 0)
  return metrics.value.services[service].pid
}

/** Whether the process is gone, or a zombie. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

/** The healthy service's results, from `since` on: one run, no hole. */
function healthySeqs(since: number): { runs: Set<string>; seqs: number[] } {
  const results = agent.heard
    .slice(since)
    .filter(({ topic }) => topic === agent.topic('healthy/detections/default'))
  return {
    runs: new Set(results.map(({ value }) => value.run)),
    seqs: results.map(({ value }) => value.seq),
  }
}

describe('one service falls, the others stand', () => {
  it.each([
    ['is killed by a fault in native code', 'SIGSEGV'],
    ['hangs', 'SIGSTOP'],
    ['is killed', 'SIGKILL'],
  ] as const)(
    'a service that %s comes back by itself',
    async (_name, signal) => {
      const service = `victim-${signal.toLowerCase()}`
      const input = { url: media('dog.mp4'), loop: true, fps: 5 }
      await agent.ask('$cmd/service/add', { service, input })
      const before = await agent.next(`${service}/detections/default`)
      const since = agent.heard.length
      const pid = await pidOf(service)
      process.kill(pid, signal)
      const error = await agent.next(`${service}/error`, undefined, since)
      expect(error.value.code).toBe('SERVICE_CRASHED')
      await agent.next(`${service}/state`, (value) => value?.state === 'degraded', since)
      const after = await agent.next(
        `${service}/detections/default`,
        ({ run }) => run !== before.value.run,
        since,
      )
      expect(after.value.seq).toBe(0)
      expect(isGone(pid)).toBe(true)
      const healthy = healthySeqs(since)
      expect(healthy.runs.size).toBe(1)
      expect(healthy.seqs).toEqual(healthy.seqs.map((_, index) => (healthy.seqs[0] ?? 0) + index))
      await agent.ask('$cmd/service/remove', { service })
    },
    60_000,
  )

  it('turns off the input that crashes its process twice, and runs the rest at once', async () => {
    const since = agent.heard.length
    await agent.ask('$cmd/service/add', {
      service: 'mixed',
      input: {
        good: { url: media('dog.mp4'), loop: true, fps: 5 },
        bad: 'synthetic:?width=64&height=48&fps=5&live=1&crash=segv&at=1',
      },
    })
    const failed = await agent.next(
      'mixed/input',
      (value) => value?.bad?.state === 'failed' && value.good?.state === 'live',
      since,
    )
    expect(failed.value.bad.error).toMatchObject({ code: 'SERVICE_CRASHED' })
    const blamed = agent.heard
      .slice(since)
      .filter(({ topic, value }) => topic === agent.topic('mixed/error') && value.input)
    expect(blamed.map(({ value }) => value.input)).toEqual(['bad'])
    const alert = await agent.next('$alert/mixed-bad', undefined, since)
    expect(alert.value).toMatchObject({ severity: 'error', code: 'SERVICE_CRASHED' })
    await agent.next('mixed/detections/good')
    const again = agent.heard.length
    await agent.ask('mixed/input/set', { bad: 'synthetic:?width=64&height=48&fps=5&live=1' })
    await agent.next('mixed/input', (value) => value?.bad?.state === 'live', again)
    expect((await agent.next('$alert/mixed-bad', undefined, again)).value).toBeUndefined()
    await agent.ask('$cmd/service/remove', { service: 'mixed' })
  }, 60_000)
})

describe('a restart', () => {
  it('brings back by itself what was desired', async () => {
    const first = await startAgentUnderTest()
    const input = { url: media('dog.mp4'), loop: true, fps: 5 }
    await first.ask('$cmd/service/add', { service: 'lasting', input })
    await first.ask('lasting/model/set', { options: { minScore: 0.3 } })
    await first.ask('$cmd/service/add', { service: 'stopped', input, compute: 'stop' })
    await first.stop()
    const second = await startAgentUnderTest({}, first.dataFolder)
    await second.next('lasting/detections/default', undefined, 0)
    const model = await second.next('lasting/model', undefined, 0)
    expect(model.value.options).toEqual({ minScore: 0.3 })
    const state = await second.next('stopped/state', undefined, 0)
    expect(state.value.state).toBe('idle')
    await second.stop()
  }, 60_000)

  it('refuses a data folder that another agent uses', async () => {
    await expect(startAgentUnderTest({}, agent.dataFolder)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
