import { describe, expect, it } from 'vitest'
import { healthOf } from '../../../agent/control/readiness.ts'
import { comesUp, crashed, merge, news, type Story, story, url } from './story.ts'

const judged = ({ state }: Story, inferred = false) =>
  healthOf(new Map([['door', { state, facts: { inferred, since: 0 } }]]))

const wanted = story().tell(url('rtsp://camera/1'), { type: 'compute/start' })
const running = wanted.tell(...comesUp, news('default', 'live'))

describe('the health of an agent', () => {
  it('is ready without a service, and with one that is not to run', () => {
    expect(healthOf(new Map())).toEqual({ status: 'ready', services: [] })
    expect(judged(story().tell(url('rtsp://camera/1')))).toEqual({
      status: 'ready',
      services: [{ service: 'door', wanted: false, ready: true, state: 'idle', reason: 'stopped' }],
    })
  })

  it.each([
    ['whose model is fetched', wanted, 'starting', "the model 'ssd' is being fetched"],
    ['that has inferred nothing yet', running, 'running', 'nothing was inferred yet'],
  ])('is not ready with a service %s, and says so', (_, told, state, reason) => {
    expect(judged(told)).toEqual({
      status: 'starting',
      services: [{ service: 'door', wanted: true, ready: false, state, reason }],
    })
  })

  it('is ready when a service has inferred, also while it is interrupted later', () => {
    expect(judged(running, true)).toMatchObject({ status: 'ready', services: [{ ready: true }] })
    expect(judged(running.tell(crashed), true)).toMatchObject({
      status: 'degraded',
      services: [{ ready: true, state: 'degraded', code: 'SERVICE_CRASHED' }],
    })
  })

  it('is degraded with a service that says why it infers nothing, without the words of its error', () => {
    const retrying = wanted.tell(...comesUp, news('default', 'retrying'))
    expect(judged(retrying)).toEqual({
      status: 'degraded',
      services: [
        {
          service: 'door',
          wanted: true,
          ready: true,
          state: 'degraded',
          reason: 'inputs: default retrying',
          code: 'SOURCE_UNREACHABLE',
        },
      ],
    })
    const failed = wanted.tell({
      type: 'model/failed',
      id: 'ssd',
      error: { code: 'MODEL_LOAD', message: '/secret/place', retryable: false },
    })
    const health = judged(failed)
    expect(health).toMatchObject({
      status: 'degraded',
      services: [{ ready: true, state: 'failed', code: 'MODEL_LOAD' }],
    })
    expect(JSON.stringify(health)).not.toContain('secret')
  })

  it('is ready with services that wait for what others bring', () => {
    const none = story().tell({ type: 'compute/start' }, ...comesUp)
    expect(judged(none)).toMatchObject({
      status: 'ready',
      services: [{ ready: true, reason: 'ready; no input is set' }],
    })
    const topic = none.tell(merge({ photos: 'mqtt:photos' }), news('photos', 'live'))
    expect(judged(topic)).toMatchObject({
      status: 'ready',
      services: [{ ready: true, reason: 'it waits for pictures on its topic' }],
    })
    expect(judged(topic.tell(merge({ cam: 'rtsp://c' }), news('cam', 'live'))).status).toBe(
      'starting',
    )
  })

  it('is not ready as long as one of several is not', () => {
    const { state } = running
    const one = { state, facts: { inferred: true, since: 0 } }
    const other = { state, facts: { inferred: false, since: 0 } }
    const both = healthOf(
      new Map([
        ['one', one],
        ['other', other],
      ]),
    )
    expect(both.status).toBe('starting')
    expect(both.services.map(({ ready }) => ready)).toEqual([true, false])
  })
})
