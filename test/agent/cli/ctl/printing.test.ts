import { describe, expect, it } from 'vitest'
import { eventLine } from '../../../../agent/cli/ctl/event-line.ts'
import { inputsText, outputsText, resultsText } from '../../../../agent/cli/ctl/tables.ts'
import type { EventKind } from '../../../../agent/client/agent-client.ts'
import { examples } from '../../../../schemas/examples.ts'
import type { Result } from '../../../../schemas/results.ts'

const noon = new Date(2026, 0, 1, 12, 0, 1)
const line = (kind: EventKind, data: unknown, colours = false, topic = `${kind}/x/gate`) =>
  eventLine({ service: 'door', kind, topic, data }, noon, { colours })

describe('an event as a line', () => {
  const kinds = [
    'detections',
    'event',
    'state',
    'stats',
    'input',
    'output',
    'model',
    'stream',
    'error',
  ] as const

  it.each(kinds)('is one line for every example of %s, its columns aligned', (kind) => {
    expect(examples[kind].length).toBeGreaterThan(0)
    for (const { payload } of examples[kind]) {
      const text = line(kind, payload)
      expect(text).toMatch(/^12:00:01 {2}\S+ +\S+ +\S/)
      expect(text.indexOf(kind)).toBe(10)
      expect(text).not.toMatch(/\n|undefined|\[object/)
    }
  })

  it('says what was found', () => {
    const [example] = examples.detections
    expect(line('detections', example?.payload)).toBe(
      '12:00:01  detections  gate          #812      17.9 ms  dog 96 %',
    )
  })

  it('says that something is gone', () => {
    expect(line('stream', undefined)).toMatch(/x\/gate +ended$/)
    expect(line('state', undefined)).toMatch(/door +gone$/)
  })

  it('is coloured only where colours are wanted', () => {
    const failure = { state: 'failed', since: 0 }
    expect(line('state', failure, true)).toContain('\x1b[31mfailed\x1b[39m')
    expect(line('state', failure)).not.toContain('\x1b')
  })
})

describe('tables', () => {
  it('show inputs with their options, their trouble and no password', () => {
    const text = inputsText({
      gate: { url: 'http://me:pw@cam/1', fps: 5, state: 'live', since: 0, width: 640, height: 480 },
      yard: {
        url: 'mqtt:cam/yard',
        state: 'retrying',
        since: 0,
        error: { code: 'SOURCE_UNREACHABLE', message: 'it is off' },
      },
    })
    const [head = '', gate = '', yard = ''] = text.split('\n')
    expect(gate).toBe('gate   live      640×480  http://me:***@cam/1  fps=5')
    expect(yard).toContain('SOURCE_UNREACHABLE: it is off')
    expect(yard.indexOf('mqtt:')).toBe(head.indexOf('URL'))
  })

  it('show outputs with their counters', () => {
    const people = { url: 'mqtt:', labels: ['dog'], state: 'open' as const, since: 0 }
    const text = outputsText({ people: { ...people, written: 7, dropped: 1 } })
    expect(text).toMatch(/^people +open +7 +1 +mqtt: {2}labels=\["dog"\]$/m)
    expect(outputsText({})).toBe('no output\n')
  })

  it('show one line for each object that was found, and pictures without any', () => {
    const payload = examples.detections[0]?.payload as Result
    const rows = resultsText([payload, { ...payload, tag: 'b.jpg', items: [] }]).split('\n')
    expect(rows[1]).toBe('part-4711  dog      96 %   411 96 310 402')
    expect(rows[2]).toBe('b.jpg      nothing')
  })
})
