import { describe, expect, it } from 'vitest'
import { readModelOptions, readSpecs, specIn } from '../../../../agent/cli/ctl/specs.ts'

describe('arguments of ctl set', () => {
  it.each([
    ['input', ['gate=synthetic:'], { gate: { url: 'synthetic:' } }],
    ['input', ['http://cam/now.jpg?a=b'], { default: { url: 'http://cam/now.jpg?a=b' } }],
    ['input', ['/media/dog.mp4', 'default.fps=2'], { default: { url: '/media/dog.mp4', fps: 2 } }],
    ['input', ['gate=http://cam/?a=b'], { gate: { url: 'http://cam/?a=b' } }],
    ['input', ['gate='], { gate: null }],
    ['input', ['gate.loop=true'], { gate: { loop: true } }],
    [
      'input',
      ['gate=mqtt:x', 'gate.region=1,2,3,4'],
      { gate: { url: 'mqtt:x', region: [1, 2, 3, 4] } },
    ],
    [
      'output',
      ['o=mqtt:', 'o.labels=dog,person'],
      { o: { url: 'mqtt:', labels: ['dog', 'person'] } },
    ],
    ['output', ['o=mqtt:', 'o.labels=["dog, old"]'], { o: { url: 'mqtt:', labels: ['dog, old'] } }],
    [
      'output',
      ['o=https://x', 'o.secret=12345678'],
      { o: { url: 'https://x', secret: '12345678' } },
    ],
    ['output', ['o=rtsp:', 'o.overlay=latest'], { o: { url: 'rtsp:', overlay: 'latest' } }],
  ] as const)('for an %s, %j', (what, args, expected) => {
    expect(readSpecs(what, args)).toEqual(expected)
  })

  it.each([
    ['input', ['Gate=synthetic:'], "'Gate' is no id"],
    ['input', ['url=synthetic:'], "'url' is no id"],
    ['input', ['gate=synthetic:', 'gate.fsp=5'], "'fsp' is no option of an input (known: url fps"],
    ['output', ['file:x.jsonl'], "'file:x.jsonl' must be id=url or id.option=value"],
    ['output', ['o=', 'o.minScore=1'], "'o' is to be removed"],
  ] as const)('are refused: for an %s, %j', (what, args, message) => {
    expect(() => readSpecs(what, args)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('are options of a model', () => {
    expect(readModelOptions(['minScore=0.6', 'labels=dog,cat', 'track=true'])).toEqual({
      minScore: 0.6,
      labels: ['dog', 'cat'],
      track: true,
    })
    expect(() => readModelOptions(['minScore'])).toThrow('must be name=value')
    expect(() => readModelOptions(['minscore=1'])).toThrow("'minscore' is no option of a model")
  })

  it('are laid over what is to be, not over how it is', () => {
    const shown = { url: 'mqtt:x', fps: 5, state: 'live', since: 1, width: 640, run: 'a' }
    expect(specIn('input', shown)).toEqual({ url: 'mqtt:x', fps: 5 })
  })
})
