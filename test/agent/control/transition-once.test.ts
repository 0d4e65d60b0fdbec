import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import { comesUp, merge, news, story } from './story.ts'

const running = story()
  .tell(merge({ gate: 'mqtt:gate' }), { type: 'compute/start' }, ...comesUp)
  .tell(news('gate', 'live'))

describe('once', () => {
  const once = { request: 'r1', spec: { url: 'a.jpg' }, publish: false }
  const cancel = { type: 'once/cancel', request: 'r1' } as const

  it('goes to a running process at once', () => {
    expect(running.tell({ type: 'compute/once', once }).effects).toEqual(['once'])
  })

  it('wakes a service that is idle, and lets it go again', () => {
    const woken = story().tell({ type: 'compute/once', once })
    expect(woken.effects).toEqual(['process/start', 'model/fetch ssd'])
    const up = woken.tell({ type: 'process/ready' })
    expect(up.effects).toContain('once')
    expect(up.tell({ type: 'once/done', request: 'r1' }).effects).toEqual(['linger'])
  })

  it('is under way until the process says that it has let go of it', () => {
    const cancelled = running.tell({ type: 'compute/once', once }, cancel)
    expect(cancelled.effects).toEqual(['once/cancel'])
    expect(cancelled.state.pending).toHaveProperty('r1')
    const done = cancelled.tell({ type: 'once/done', request: 'r1' })
    expect(done.state.pending).toEqual({})
    expect(done.tell(cancel).effects).toEqual([])
  })

  it('never reaches a process that was not up when it was cancelled', () => {
    const woken = story().tell({ type: 'compute/once', once }, cancel)
    expect(woken.state.pending).toEqual({})
    expect(woken.tell({ type: 'process/ready' }).effects).not.toContain('once')
  })

  it('fails when the model does', () => {
    const error = new AgentError('MODEL_LOAD', 'no network').toInfo()
    const told = story().tell(
      { type: 'compute/once', once },
      { type: 'model/failed', id: 'ssd', error },
    )
    expect(told.effects).toEqual(['once/failed'])
  })
})
