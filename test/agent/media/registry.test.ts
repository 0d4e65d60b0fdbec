import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import type { MediaEngine } from '../../../agent/media/engine.ts'
import { createEngine, firstEngine } from '../../../agent/media/registry.ts'

describe('media engines', () => {
  it.each(['auto', 'node-av', 'ffmpeg'])('have names: %s', (name) => {
    expect(createEngine(name).name).toBe(name)
  })

  it('are refused under other names, which are listed', () => {
    expect(() => createEngine('constructor')).toThrow(/constructor.*auto node-av ffmpeg/)
  })
})

describe('the first engine that is there', () => {
  it('is decided at its first use, and then stays', async () => {
    const checks: string[] = []
    const engine = firstEngine([entry('one', checks, 'not installed'), entry('two', checks)])
    expect(engine.name).toBe('auto')
    expect(checks).toEqual([])
    expect(await engine.codecs()).toEqual({ decoders: ['of two'], encoders: [] })
    await engine.codecs()
    expect(engine.name).toBe('two')
    expect(checks).toEqual(['one', 'two'])
  })

  it('is the first, where all are', async () => {
    const checks: string[] = []
    const engine = firstEngine([entry('one', checks), entry('two', checks)])
    await engine.codecs()
    expect(engine.name).toBe('one')
    expect(checks).toEqual(['one'])
  })

  it('is looked for again after none was there, which says what each lacks', async () => {
    const checks: string[] = []
    const engine = firstEngine([
      entry('one', checks, 'no binary'),
      entry('two', checks, 'no program'),
    ])
    await expect(engine.codecs()).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: 'no binary; or: no program',
    })
    await expect(engine.codecs()).rejects.toThrow()
    expect(checks).toEqual(['one', 'two', 'one', 'two'])
  })
})

function entry(name: string, checks: string[], problem?: string) {
  return {
    create: (): MediaEngine => engineNamed(name),
    async check() {
      checks.push(name)
      if (problem) throw new AgentError('BACKEND_UNAVAILABLE', problem)
    },
  }
}

function engineNamed(name: string): MediaEngine {
  const absent = () => Promise.reject(new Error('not asked for'))
  const codecs = async () => ({ decoders: [`of ${name}`], encoders: [] })
  return { name, open: absent, encode: absent, push: absent, codecs }
}
