import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from '../e2e/agent-under-test.ts'
import { needs } from './needs.ts'

const installed = needs('promtool', 'prometheus') && needs('prometheus', 'prometheus')

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

describe.skipIf(!installed)('Prometheus', () => {
  let agent: AgentUnderTest
  beforeAll(async () => {
    agent = await startAgentUnderTest({ 'metrics.intervalMs': '500' })
    const input = { gate: { url: `file://${media('dog.mp4')}`, loop: true } }
    await agent.ask('$cmd/service/add', { service: 'door', input })
    await agent.next('door/stats', ({ inputs }) => inputs.gate?.inferred > 0, 0)
    await agent.next('$metrics', undefined, 0)
  })
  afterAll(() => agent.stop())

  it('finds nothing to complain of', async () => {
    const response = await fetch(`${agent.running.addresses.http}/metrics`)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    const check = (input: string) => spawnSync('promtool', ['check', 'metrics'], { input })
    const { status, stdout, stderr } = check(text)
    expect([status, String(stdout), String(stderr)]).toEqual([0, '', ''])
    expect(check(text.replace('# HELP heliograph_event_streams ', '# HELP x ')).status).not.toBe(0)
  })

  it('scrapes the agent as it comes, and knows what the service infers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
    const config = {
      global: { scrape_interval: '250ms', scrape_timeout: '250ms' },
      scrape_configs: [
        {
          job_name: 'agent',
          static_configs: [{ targets: [new URL(agent.running.addresses.http).host] }],
        },
      ],
    }
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
    const address = `127.0.0.1:${await freePort()}`
    const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`]
    const server = spawn('prometheus', [...args, `--web.listen-address=${address}`], {
      stdio: 'ignore',
    })
    const gone = once(server, 'exit')
    onTestFinished(async () => {
      server.kill('SIGKILL')
      await gone
      rmSync(folder, { recursive: true, force: true })
    })
    const ask = async (query: string) => {
      const url = `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`
      const answer = JSON.parse(await (await fetch(url)).text())
      return answer.data.result.map(({ value }: { value: [number, string] }) => Number(value[1]))
    }
    const settled = { timeout: 15_000, interval: 250 }
    await expect.poll(() => ask('up').catch(() => []), settled).toEqual([1])
    const rate = 'rate(heliograph_input_samples_inferred_total{service="door",input="gate"}[5s])'
    await expect.poll(async () => (await ask(rate))[0] > 1, settled).toBe(true)
    expect(await ask('heliograph_service_state{state="running"}')).toEqual([1])
    const p95 = 'heliograph_input_stage_duration_seconds{stage="infer",quantile="0.95"}'
    expect(await ask(p95)).toEqual([expect.closeTo(0.05, 0)])
    const answer = await fetch(`http://${address}/api/v1/metadata?metric=heliograph_http_requests`)
    expect(JSON.stringify(await answer.json())).toContain('counter')
  }, 40_000)
})
