import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'
import { type Line, linesIn, valueIn } from './exposition-lines.ts'

const clip = { url: `file://${media('dog.mp4')}`, loop: true }
const gate = { service: 'door', input: 'gate' }

describe('the metrics of a real agent', () => {
  let agent: AgentUnderTest
  const scrape = async (): Promise<Line[]> =>
    linesIn(await (await fetch(`${agent.running.addresses.http}/metrics`)).text())

  beforeAll(async () => {
    agent = await startAgentUnderTest({ 'metrics.intervalMs': '500' })
    await agent.ask('$cmd/service/add', {
      service: 'door',
      input: { gate: clip },
      output: { log: 'file:seen/{input}.jsonl' },
    })
    await agent.next('door/stats', ({ inputs }) => inputs.gate?.inferred > 0, 0)
  })
  afterAll(() => agent.stop())

  it('say of a service, its input and its outputs what MQTT says', async () => {
    const { value } = await agent.next('door/stats', ({ inputs }) => inputs.gate?.inferred > 0)
    const lines = await scrape()
    const { alive, inferred, ms } = value.inputs.gate
    expect(valueIn(lines, 'heliograph_input_samples_alive', gate)).toBe(alive)
    expect(valueIn(lines, 'heliograph_input_inferred_per_second', gate)).toBe(inferred)
    const stage = { ...gate, stage: 'infer', quantile: '0.95' }
    const seconds = valueIn(lines, 'heliograph_input_stage_duration_seconds', stage)
    expect(seconds).toBeCloseTo(ms.infer.p95 / 1000, 9)
    const states = lines.filter(({ name }) => name === 'heliograph_service_state')
    expect(states.filter((line) => line.value === 1).map(({ labels }) => labels)).toEqual([
      { service: 'door', state: 'running' },
    ])
    expect(states).toHaveLength(6)
    const log = { service: 'door', output: 'log' }
    expect(valueIn(lines, 'heliograph_output_state', { ...log, state: 'open' })).toBe(1)
    expect(valueIn(lines, 'heliograph_output_results_dropped_total', log)).toBe(0)
    const stream = { service: 'door', output: 'video', input: 'gate' }
    expect(valueIn(lines, 'heliograph_stream_viewers', stream)).toBe(0)
    const model = { service: 'door', model: 'ssdlite-mobilenet-v2-coco', provider: 'cpu' }
    expect(valueIn(lines, 'heliograph_service_model_info', model)).toBe(1)
  })

  it('count what was inferred, exactly, and go on when the process was killed', async () => {
    const counted = async (what: string) =>
      valueIn(await scrape(), `heliograph_input_samples_${what}_total`, gate) ?? Number.NaN
    const told = () =>
      agent.heard
        .filter(({ topic }) => topic === agent.topic('door/stats'))
        .reduce((sum, { value }) => sum + (value.inputs.gate?.inferred ?? 0), 0)
    await agent.next('door/stats')
    const before = await counted('inferred')
    expect(before).toBeGreaterThan(0)
    expect(before).toBe(told())
    const { value } = await agent.next('$metrics', ({ services }) => services.door?.pid, 0)
    process.kill(value.services.door.pid, 'SIGKILL')
    const since = agent.heard.length
    await agent.next('door/state', ({ state }) => state === 'degraded', since)
    await agent.next('door/stats', ({ inputs }) => inputs.gate?.inferred > 0, since)
    const after = await counted('inferred')
    expect(after).toBeGreaterThan(before)
    expect(await counted('read')).toBeGreaterThanOrEqual(after)
    expect(valueIn(await scrape(), 'heliograph_service_restarts_total', { service: 'door' })).toBe(
      1,
    )
  })

  it('say of the machine what $metrics says, and nothing of what cannot be read', async () => {
    const { value } = await agent.next('$metrics')
    const lines = await scrape()
    expect(valueIn(lines, 'heliograph_measured_timestamp_seconds')).toBe(value.at / 1000)
    expect(valueIn(lines, 'heliograph_machine_memory_bytes')).toBe(value.memory.totalBytes)
    expect(valueIn(lines, 'heliograph_disk_free_bytes')).toBe(value.disk.freeBytes)
    const celsius = valueIn(lines, 'heliograph_machine_temperature_celsius')
    expect(celsius).toBe(value.temperature.celsius)
    const gpus = lines.filter(({ name }) => name.startsWith('heliograph_gpu_'))
    expect(gpus.length > 0).toBe(
      Array.isArray(value.gpu) && value.gpu.some((gpu: object) => Object.keys(gpu).length > 1),
    )
  })

  it('count MQTT clients, event streams and requests by route and status', async () => {
    await fetch(`${agent.running.addresses.http}/services/door/input`)
    await fetch(`${agent.running.addresses.http}/services/none/input`)
    await fetch(`${agent.running.addresses.http}/any/thing`)
    const lines = await scrape()
    expect(valueIn(lines, 'heliograph_broker_clients')).toBe(1)
    expect(valueIn(lines, 'heliograph_event_streams')).toBe(0)
    const route = { method: 'GET', route: '/services/{service}/input' }
    const requests = 'heliograph_http_requests_total'
    expect(valueIn(lines, requests, { ...route, status: '200' })).toBe(1)
    expect(valueIn(lines, requests, { ...route, status: '404' })).toBe(1)
    expect(valueIn(lines, requests, { route: 'none', status: '404' })).toBe(1)
    const durations = 'heliograph_http_request_duration_seconds'
    expect(valueIn(lines, `${durations}_count`, route)).toBe(2)
    expect(valueIn(lines, `${durations}_bucket`, { ...route, le: '+Inf' })).toBe(2)
  })

  it('say what runs since when, and how the main process is', async () => {
    const lines = await scrape()
    const info = { agent: 'lab', contract: '1', node: process.version }
    expect(valueIn(lines, 'heliograph_build_info', info)).toBe(1)
    const started = valueIn(lines, 'heliograph_start_time_seconds') ?? 0
    const { at } = (await agent.next('$state', undefined, 0)).value
    expect(Math.abs(started * 1000 - at)).toBeLessThan(5000)
    expect(valueIn(lines, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0)
    expect(valueIn(lines, 'process_resident_memory_bytes')).toBeGreaterThan(2 ** 20)
  })
})

describe('the health of a real agent', () => {
  it('is not ready until its service has inferred, or says why it cannot', async () => {
    const agent = await startAgentUnderTest()
    const health = async (kind: string) => {
      const response = await fetch(`${agent.running.addresses.http}/health/${kind}`)
      return { status: response.status, body: JSON.parse(await response.text()) }
    }
    expect(await health('live')).toEqual({ status: 200, body: { status: 'live' } })
    expect(await health('ready')).toEqual({ status: 200, body: { status: 'ready', services: [] } })
    await agent.ask('$cmd/service/add', { service: 'door', input: { gate: clip } })
    expect(await health('ready')).toMatchObject({
      status: 503,
      body: { status: 'starting', services: [{ service: 'door', ready: false }] },
    })
    await agent.next('door/stats', ({ inputs }) => inputs.gate?.inferred > 0, 0)
    expect(await health('ready')).toMatchObject({
      status: 200,
      body: { status: 'ready', services: [{ state: 'running', ready: true }] },
    })
    await agent.ask('$cmd/service/add', {
      service: 'yard',
      input: { cam: 'http://127.0.0.1:9/x.jpg' },
    })
    await agent.next('yard/state', ({ state }) => state === 'degraded', 0)
    const { status, body } = await health('ready')
    expect([status, body.status]).toEqual([200, 'degraded'])
    expect(body.services[1]).toMatchObject({
      ...{ service: 'yard', state: 'degraded', ready: true },
      reason: 'inputs: cam retrying',
      code: expect.any(String),
    })
    await agent.stop()
  }, 60_000)
})
