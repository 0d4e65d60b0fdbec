import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { createLog, type LogLevel } from '../../agent/log.ts'
import type { LogLine } from '../../schemas/state.ts'

function recorded(level: LogLevel, human = false) {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  return { log: createLog({ level, human, stream }), lines }
}

it('writes one line of JSON for programs', () => {
  const { log, lines } = recorded('info')
  log.info({ service: 'gate', count: 3 }, 'service started')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^{.*}\n$/)
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    service: 'gate',
    count: 3,
    message: 'service started',
  })
})

it('writes one line of text for people', () => {
  const { log, lines } = recorded('info', true)
  log.warn({ service: 'gate', input: { fps: 3 } }, 'input stalled')
  const plain = lines.join('').replaceAll(/\p{Cc}\[\d+m/gu, '')
  expect(plain).toMatch(
    /^\d\d:\d\d:\d\d warn {2}input stalled {2}service=gate {2}input={"fps":3}\n$/,
  )
})

it('lets no field move the cursor of a terminal or forge a line', () => {
  const { log, lines } = recorded('info', true)
  log.info({ name: 'a\x1b[2J\nb' }, 'opened')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('a\\u001b[2J\\nb\n')
  expect(lines[0]).not.toContain('\x1b[2J')
})

it('writes nothing below its level, and nothing at all when silent', () => {
  const { log, lines } = recorded('warn')
  log.info({}, 'no')
  log.error({}, 'yes')
  expect(lines).toHaveLength(1)
  const silent = recorded('silent')
  silent.log.error({}, 'no')
  expect(silent.lines).toEqual([])
})

it('removes passwords wherever they hide', () => {
  const { log, lines } = recorded('trace')
  const url = 'rtsp://user:geheim@camera/x'
  const cause = new Error(`no route to ${url}`)
  const error = Object.assign(new Error(`cannot open ${url}`, { cause }), { code: 'TIMEOUT' })
  log.error({ url, list: [{ url }], error }, `failed: ${url}`)
  expect(lines[0]).not.toContain('geheim')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    url: 'rtsp://user:***@camera/x',
    list: [{ url: 'rtsp://user:***@camera/x' }],
    error: {
      code: 'TIMEOUT',
      message: 'cannot open rtsp://user:***@camera/x',
      cause: { message: 'no route to rtsp://user:***@camera/x' },
    },
    message: 'failed: rtsp://user:***@camera/x',
  })
})

it('survives what JSON cannot hold, and bounds what it writes', () => {
  const { log, lines } = recorded('trace')
  const circle: { self?: object } = {}
  circle.self = circle
  log.info({ circle, big: 2n ** 70n, bytes: Buffer.alloc(5000), text: 'x'.repeat(1e6) }, 'odd')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    big: '1180591620717411303424',
    bytes: '<5000 bytes>',
  })
  expect(lines[0]?.length).toBeLessThan(3000)
})

it('hands lines to listeners by their own level until they stop', () => {
  const { log, lines } = recorded('error')
  const heard: LogLine[] = []
  const stop = log.onLine('warn', (line) => heard.push(line))
  log.info({}, 'too low')
  log.warn({ service: 'gate' }, 'heard')
  log.error({}, 'heard and written')
  stop()
  log.error({}, 'written')
  expect(heard).toEqual([
    { level: 'warn', at: expect.any(Number), message: 'heard', fields: { service: 'gate' } },
    { level: 'error', at: expect.any(Number), message: 'heard and written' },
  ])
  expect(lines).toHaveLength(2)
})

it('does not wait for a stderr that nobody reads', async () => {
  const program = `
    import { createLog } from '${join(process.cwd(), 'dist/agent/log.js')}'
    const log = createLog({ level: 'info', human: false })
    for (let line = 0; line < 5000; line++) log.info({ text: 'x'.repeat(1000) }, 'filling the pipe')
    setTimeout(() => console.log('alive'), 1)
    setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  expect(line).toBe('alive')
  child.kill('SIGKILL')
})
