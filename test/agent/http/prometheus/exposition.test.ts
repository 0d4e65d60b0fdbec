import { describe, expect, it } from 'vitest'
import { exposer } from '../../../../agent/http/prometheus/exposition.ts'
import { family, gauge } from '../../../../agent/http/prometheus/family.ts'
import { httpTraffic } from '../../../../agent/http/prometheus/http-traffic.ts'
import { machineFamilies } from '../../../../agent/http/prometheus/machine.ts'
import type { Metrics } from '../../../../schemas/state.ts'
import { linesIn, valueIn } from '../../../e2e/exposition-lines.ts'

const away = { unavailable: 'no such thing' }
const nothing: Metrics = {
  ...{ v: 1, at: 1000, uptimeS: 1, services: {} },
  ...{ cpu: away, memory: away, disk: away, network: away, temperature: away, gpu: away },
}
const names = (metrics: Metrics | undefined): string[] =>
  machineFamilies(metrics)
    .filter(({ samples }) => samples.length > 0)
    .map(({ name }) => name)

describe('the metrics of the machine', () => {
  it('leave out what cannot be read, and all before anything was', () => {
    expect(names(undefined)).toEqual([])
    expect(names(nothing)).toEqual(['heliograph_measured_timestamp_seconds'])
  })

  it('name a GPU, and what of it is known', () => {
    const gpu = [
      { name: 'A', load: 0.5 },
      { name: 'B', celsius: 60 },
    ]
    const samples = machineFamilies({ ...nothing, gpu }).flatMap(({ name, samples: all }) =>
      name.startsWith('heliograph_gpu_') ? all.map((sample) => ({ name, ...sample })) : [],
    )
    expect(samples).toEqual([
      { name: 'heliograph_gpu_ratio', labels: { gpu: '0', model: 'A' }, value: 0.5 },
      { name: 'heliograph_gpu_temperature_celsius', labels: { gpu: '1', model: 'B' }, value: 60 },
    ])
  })
})

describe('an exposition', () => {
  const counted = family('counter', 'x_total', 'Things.', [
    { labels: { of: 'a "b"\\c\nd' }, value: 7 },
    { labels: { of: 'nobody knows' }, value: undefined },
  ])

  it('is the same in plain text before and after it was OpenMetrics', async () => {
    const expose = exposer(httpTraffic().durations)
    const plain = async (): Promise<string[]> => {
      const { text } = await expose([counted])
      return text.split('\n').filter((line) => line.startsWith('# TYPE'))
    }
    const before = await plain()
    const open = await expose(
      [counted],
      'text/plain;q=0.5,application/openmetrics-text;version=1.0.0',
    )
    expect(open.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(open.text).toMatch(/# TYPE x counter\nx_total\{.*# EOF\n$/s)
    expect(open.text).toContain('# TYPE process_cpu_seconds counter')
    expect(before).toContain('# TYPE process_cpu_seconds_total counter')
    expect(await plain()).toEqual(before)
  })

  it('escapes labels, and has no line for what has no value', async () => {
    const { text } = await exposer(httpTraffic().durations)([counted, gauge('y', 'No.', undefined)])
    expect(text).toContain('x_total{of="a \\"b\\"\\\\c\\nd"} 7\n')
    expect(text).not.toMatch(/nobody knows|^# HELP y /m)
  })

  it('counts requests by status, and their time by route alone', async () => {
    const traffic = httpTraffic()
    const request = { method: 'GET', route: '/input', seconds: 0.02 }
    for (const status of [200, 200, 404]) traffic.answered({ ...request, status })
    const { text } = await exposer(traffic.durations)([traffic.requests])
    const lines = linesIn(text)
    const of = { method: 'GET', route: '/input' }
    const requests = 'heliograph_http_requests_total'
    expect(valueIn(lines, requests, { ...of, status: '200' })).toBe(2)
    expect(valueIn(lines, requests, { ...of, status: '404' })).toBe(1)
    const bucket = (le: string) =>
      valueIn(lines, 'heliograph_http_request_duration_seconds_bucket', { ...of, le })
    expect([bucket('0.01'), bucket('0.025'), bucket('+Inf')]).toEqual([0, 3, 3])
  })
})
