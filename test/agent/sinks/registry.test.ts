import { describe, expect, it } from 'vitest'
import { createSink, knownSinks } from '../../../agent/sinks/registry.ts'
import { sinkSchemes } from '../../../schemas/urls.ts'
import { sinkContext } from './surroundings.ts'

describe('the registry of sinks', () => {
  it('has the schemes that the contract names', () => {
    expect([...knownSinks].sort()).toEqual([...sinkSchemes].sort())
  })

  it('names the schemes it knows when it knows none for a URL, and no password', () => {
    const make = () => createSink({ url: 'gopher://user:secret@host/' }, sinkContext().context)
    expect(make).toThrow(expect.objectContaining({ code: 'SINK_UNSUPPORTED' }))
    expect(make).toThrow(/^(?!.*secret).*mqtt: .*file:/)
  })

  it.each(['http://', 'ws:', 'mqtts://user:secret@/x', 'https:///'])('refuses %s', (url) => {
    const make = () => createSink({ url }, sinkContext().context)
    expect(make).toThrow(expect.objectContaining({ code: 'SINK_UNSUPPORTED' }))
    expect(make).not.toThrow(/secret/)
  })
})
