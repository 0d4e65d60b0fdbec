import { describe, expect, it } from 'vitest'
import { inputStatuses, modelStatus, outputStatuses } from '../../../agent/control/view.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import { comesUp, crashed, merge, news, resolved, story, url } from './story.ts'

const start = { type: 'compute/start' } as const
const stop = { type: 'compute/stop' } as const
const twoInputs = story()
  .tell(merge({ gate: 'mqtt:gate', yard: 'mqtt:yard' }), start, ...comesUp)
  .tell(news('gate', 'live'), news('yard', 'live'))

describe('starting', () => {
  it('does nothing about an input until compute is asked for', () => {
    const told = story().tell(url('dog.mp4'))
    expect(told.phase).toBe('idle')
    expect(told.effects).toEqual([])
  })

  it('starts the process and fetches the model side by side', () => {
    const told = story().tell(url('dog.mp4'), start)
    expect(told.effects).toEqual(['process/start', 'model/fetch ssd'])
    expect(told.phase).toBe('starting')
  })

  it('opens outputs and inputs when the process is up, whether or not the model is there yet', () => {
    const told = story().tell(url('dog.mp4'), start, { type: 'process/ready' })
    expect(told.effects).toEqual(['output/open events', 'output/open video', 'input/open default'])
    expect(told.tell({ type: 'model/fetched', model: resolved() }).effects).toEqual(['model/load'])
  })

  it('is running when every input is live and the model infers', () => {
    const up = story().tell(url('dog.mp4'), start, ...comesUp)
    expect(up.phase).toBe('starting')
    expect(up.tell(news('default', 'live')).phase).toBe('running')
  })

  it('runs without any input, ready for single requests', () => {
    expect(story().tell(start, ...comesUp).phase).toBe('running')
  })

  it('changes nothing when it is asked twice', () => {
    const told = twoInputs.tell(start)
    expect(told.state).toBe(twoInputs.state)
    expect(told.effects).toEqual([])
  })
})

describe('changing a part', () => {
  it('changes one input and leaves the others alone', () => {
    const told = twoInputs.tell(merge({ gate: 'mqtt:other' }))
    expect(told.effects).toEqual(['input/close gate', 'input/open gate'])
    expect(told.state.inputs.yard).toBe(twoInputs.state.inputs.yard)
  })

  it('adds one input without touching those that run', () => {
    expect(twoInputs.tell(merge({ door: 'mqtt:door' })).effects).toEqual(['input/open door'])
  })

  it('removes one input', () => {
    const told = twoInputs.tell(merge({ gate: null }))
    expect(told.effects).toEqual(['input/close gate'])
    expect(Object.keys(told.state.inputs)).toEqual(['yard'])
  })

  it('does nothing for an input that is set to what it is', () => {
    expect(twoInputs.tell(merge({ gate: 'mqtt:gate' })).effects).toEqual([])
  })

  it('replaces all inputs by a bare URL', () => {
    const told = twoInputs.tell(url('dog.mp4'))
    expect(told.effects).toEqual(['input/close gate', 'input/close yard', 'input/open default'])
    expect(Object.keys(told.state.desired.inputs)).toEqual(['default'])
  })

  it('adds and removes an output without an effect on inputs or inference', () => {
    const added = twoInputs.tell({ type: 'output/set', patch: { log: { url: 'file:a.jsonl' } } })
    expect(added.effects).toEqual(['output/open log'])
    expect(added.tell({ type: 'output/set', patch: { log: null } }).effects).toEqual([
      'output/close log',
    ])
    expect(added.state.inputs).toBe(twoInputs.state.inputs)
  })

  it('hands options on at once, without a reload', () => {
    const told = twoInputs.tell({ type: 'model/set', options: { minScore: 0.9 } })
    expect(told.effects).toEqual(['model/options'])
    expect(told.phase).toBe('running')
  })

  it('keeps the old model inferring while another is fetched and loaded', () => {
    const asked = twoInputs.tell({ type: 'model/set', id: 'yolox' })
    expect(asked.effects).toEqual(['model/fetch yolox'])
    expect(modelStatus(asked.state)).toMatchObject({
      id: 'yolox',
      running: 'ssd',
      state: 'pulling',
    })
    expect(asked.phase).toBe('running')
    const loaded = asked
      .tell({ type: 'model/fetched', model: resolved('yolox') })
      .tell({ type: 'model/loaded', id: 'yolox', provider: 'cpu' })
    expect(modelStatus(loaded.state)).toMatchObject({ id: 'yolox', state: 'ready' })
  })

  it('goes on with the old model, degraded, when the new one cannot be loaded', () => {
    const error = new AgentError('MODEL_LOAD', 'broken').toInfo()
    const told = twoInputs.tell(
      { type: 'model/set', id: 'yolox' },
      { type: 'model/failed', id: 'yolox', error },
    )
    expect(told.phase).toBe('degraded')
    expect(told.state.model.running?.model.manifest.id).toBe('ssd')
  })

  it('ignores news of a model that is not wanted any more', () => {
    const told = twoInputs.tell(
      { type: 'model/set', id: 'yolox' },
      { type: 'model/set', id: 'third' },
      { type: 'model/fetched', model: resolved('yolox') },
    )
    expect(told.effects).toEqual([])
    expect(told.state.model.state).toBe('pulling')
  })
})

describe('inputs that end and fail', () => {
  it('stops computing when every finite input has ended, so that a restart does not run them again', () => {
    const told = twoInputs.tell(news('gate', 'ended'))
    expect(told.phase).toBe('running')
    const over = told.tell(news('yard', 'ended'))
    expect(over.state.desired.compute).toBe('stop')
    expect(over.phase).toBe('idle')
    expect(over.effects).toEqual(['linger'])
  })

  it('opens ended inputs anew when compute is asked for again', () => {
    const over = twoInputs.tell(news('gate', 'ended'), news('yard', 'ended'))
    expect(over.tell(start).effects).toEqual(['input/open gate', 'input/open yard'])
  })

  it('opens an ended or failed input again when it is set again', () => {
    const told = twoInputs.tell(news('gate', 'failed'), merge({ gate: 'mqtt:gate' }))
    expect(told.effects).toEqual(['input/open gate'])
  })

  it('is degraded while one input is retried, and recovers', () => {
    const troubled = twoInputs.tell(news('gate', 'retrying'))
    expect(troubled.phase).toBe('degraded')
    const well = troubled.tell(news('gate', 'live'))
    expect(well.phase).toBe('running')
    expect(well.state.inputs.gate?.error).toBeUndefined()
  })

  it('has failed only when nothing can run without a change', () => {
    expect(twoInputs.tell(news('gate', 'failed')).phase).toBe('degraded')
    expect(twoInputs.tell(news('gate', 'failed'), news('yard', 'failed')).phase).toBe('failed')
  })

  it('has failed when the first model cannot be had', () => {
    const error = new AgentError('MODEL_LOAD', 'no network').toInfo()
    const told = story().tell(url('a.jpg'), start, { type: 'model/failed', id: 'ssd', error })
    expect(told.phase).toBe('failed')
    expect(told.tell({ type: 'model/set', id: 'ssd' }).effects).toEqual(['model/fetch ssd'])
  })

  it('ignores late news of an input that was closed', () => {
    const told = twoInputs.tell(stop, news('gate', 'live'))
    expect(told.state.inputs.gate?.state).toBe('closed')
  })
})

describe('stopping', () => {
  it('closes inputs at once and keeps the process warm for a while', () => {
    const told = twoInputs.tell(stop)
    expect(told.effects).toEqual(['input/close gate', 'input/close yard', 'linger'])
    expect(told.phase).toBe('idle')
  })

  it('ends the process when nothing was asked for meanwhile', () => {
    const told = twoInputs.tell(stop, { type: 'linger/over' })
    expect(told.effects).toEqual(['process/stop'])
    expect(told.phase).toBe('stopping')
    expect(told.tell({ type: 'process/exited' }).phase).toBe('idle')
  })

  it('keeps the process when compute is asked for again in time', () => {
    const told = twoInputs.tell(stop, start)
    expect(told.effects).toEqual(['input/open gate', 'input/open yard'])
    expect(told.tell({ type: 'linger/over' }).effects).toEqual([])
  })

  it('starts the process again when compute is asked for while it ends', () => {
    const ending = twoInputs.tell(stop, { type: 'linger/over' }, start)
    const told = ending.tell({ type: 'process/exited' })
    expect(told.effects).toContain('process/start')
    expect(told.state.inputs.gate?.state).toBe('opening')
  })
})

describe('crashes', () => {
  it('is degraded while the process is started again, and tells it everything', () => {
    const down = twoInputs.tell(crashed)
    expect(down.phase).toBe('degraded')
    expect(inputStatuses(down.state).gate).toMatchObject({
      state: 'retrying',
      error: { code: 'SERVICE_CRASHED' },
    })
    const up = down.tell({ type: 'process/ready' })
    expect(up.effects).toEqual([
      'model/load',
      'output/open events',
      'output/open video',
      'input/open gate',
      'input/open yard',
    ])
  })

  it('recovers when the model is loaded and the inputs are live', () => {
    const told = twoInputs.tell(
      crashed,
      { type: 'process/ready' },
      { type: 'model/loaded', id: 'ssd', provider: 'cpu' },
      news('gate', 'live'),
      news('yard', 'live'),
    )
    expect(told.phase).toBe('running')
  })

  it('leaves a quarantined input off until it is set again', () => {
    const error = new AgentError('SERVICE_CRASHED', 'twice').toInfo()
    const told = twoInputs.tell({ type: 'input/quarantined', id: 'gate', error }, crashed)
    expect(told.tell({ type: 'process/ready' }).effects).not.toContain('input/open gate')
    const again = told.tell({ type: 'process/ready' }, merge({ gate: 'mqtt:gate' }))
    expect(again.effects).toEqual(['input/open gate'])
  })

  it('leaves a quarantined output off until it is set again', () => {
    const error = new AgentError('SERVICE_CRASHED', 'twice').toInfo()
    const quarantined = { type: 'output/quarantined', id: 'video', error } as const
    const up = twoInputs.tell(quarantined, crashed, { type: 'process/ready' })
    expect(up.effects).toContain('output/open events')
    expect(up.effects).not.toContain('output/open video')
    const shown = outputStatuses(up.state).video
    expect(shown).toMatchObject({ state: 'failed', error: { code: 'SERVICE_CRASHED' } })
    expect(shown).not.toHaveProperty('quarantined')
    const spec = up.state.desired.outputs.video ?? null
    const again = up.tell({ type: 'output/set', patch: { video: spec } })
    expect(again.effects).toEqual(['output/close video', 'output/open video'])
    expect(again.tell(crashed, { type: 'process/ready' }).effects).toContain('output/open video')
  })

  it('knows nothing of a quarantined output that was removed meanwhile', () => {
    const error = new AgentError('SERVICE_CRASHED', 'twice').toInfo()
    const told = twoInputs.tell({ type: 'output/quarantined', id: 'gone', error })
    expect(told.state).toEqual(twoInputs.state)
  })

  it('does not open an ended file again after a crash', () => {
    const told = twoInputs.tell(news('gate', 'ended'), crashed, { type: 'process/ready' })
    expect(told.effects).not.toContain('input/open gate')
    expect(told.effects).toContain('input/open yard')
  })

  it('fails pending single requests', () => {
    const once = { request: 'r1', spec: { url: 'a.jpg' }, publish: false }
    const told = twoInputs.tell({ type: 'compute/once', once }, crashed)
    expect(told.effects).toEqual(['once/failed'])
    expect(told.state.pending).toEqual({})
  })
})
