import { describe, expect, it } from 'vitest'
import { handshakes } from '../../broker/handshakes.ts'
import { defaultLimits } from '../../broker/limits.ts'

describe('QoS 2 handshakes', () => {
  it('are opened once, for each client by itself, until they are closed', () => {
    const open = handshakes(defaultLimits, () => true)
    expect(open.open('one', 1)).toBe('new')
    expect(open.open('one', 1)).toBe('duplicate')
    expect(open.open('two', 1)).toBe('new')
    open.close('one', 1)
    expect(open.open('one', 1)).toBe('new')
    open.clear('two')
    expect(open.has('two', 1)).toBe(false)
  })

  it('are bounded for each client', () => {
    const open = handshakes({ ...defaultLimits, openHandshakes: 2 }, () => true)
    expect([1, 2, 3].map((id) => open.open('one', id))).toEqual(['new', 'new', 'full'])
  })

  it('of clients that are gone are bounded, the oldest forgotten first', () => {
    const open = handshakes({ ...defaultLimits, sessions: 2 }, (id) => id === 'present')
    for (const id of ['present', 'gone', 'new']) open.open(id, 1)
    expect(['present', 'gone', 'new'].map((id) => open.has(id, 1))).toEqual([true, false, true])
  })
})
