import { expect, it } from 'vitest'
import type { AgentError } from '../../agent/core/errors.ts'
import { warnOfExposure } from '../../agent/exposure.ts'
import { inbox, type LogLine, recorder } from '../broker/harness.ts'
import { anyWebPort, usualWebLimits } from '../web-config.ts'

/** What is said of an agent at `host`, with or without users. */
function saidOf(host: string, file: string) {
  const lines = inbox<LogLine>()
  const alerts = inbox<string>()
  const { tls } = anyWebPort
  const http = { host, port: 0, allowedHosts: [], allowedOrigins: [], tls }
  const limits = { ...usualWebLimits, readsPerSecond: 1, changesPerSecond: 1, computesPerSecond: 1 }
  const config = { http: { ...http, limits: { ...limits, bodyBytes: 1 } }, users: { file } }
  warnOfExposure(config, recorder(lines), {
    alert: (id: string, problem: AgentError | undefined) => alerts.add(`${id}: ${problem?.code}`),
  })
  return {
    settings: lines.items.map(({ fields }) => Reflect.get(fields, 'setting')),
    alerts: alerts.items,
  }
}

it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s concerns nobody else', (host) => {
  expect(saidOf(host, '')).toEqual({ settings: [], alerts: [] })
})

it.each(['0.0.0.0', '::', '192.168.1.2', '127.0.0.1.example', 'edge.local'])(
  'at %s, an agent without users is open to all, which is an alert',
  (host) => {
    expect(saidOf(host, '')).toEqual({
      settings: ['users.file'],
      alerts: ['open-to-all: CONFIG_INVALID'],
    })
  },
)

it('tokens that travel in the clear are warned of', () => {
  expect(saidOf('0.0.0.0', '/users.json')).toEqual({ settings: ['http.tls'], alerts: [] })
})
