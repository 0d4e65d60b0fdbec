import { describe, expect, it } from 'vitest'
import { outputFilter } from '../../../agent/pipeline/output-filter.ts'
import type { OutputSpec } from '../../../schemas/control.ts'
import type { Item, Result } from '../../../schemas/results.ts'

const dog: Item = { label: 'dog', classId: 17, score: 0.9, box: [10, 10, 20, 20] }
const cat: Item = { label: 'cat', classId: 16, score: 0.4, box: [100, 100, 4, 4] }

function result(items: readonly Item[], input = 'gate'): Result {
  return {
    v: 1,
    kind: 'detections',
    input,
    model: 'm',
    run: 'r',
    seq: 0,
    capturedAt: 0,
    publishedAt: 0,
    width: 200,
    height: 200,
    items: [...items],
    ms: { decode: 0, queue: 0, preprocess: 0, infer: 0, postprocess: 0 },
  }
}

const kept = (spec: Omit<OutputSpec, 'url'>, items: readonly Item[]): string[] | undefined =>
  outputFilter({ url: 'mqtt:', ...spec })(result(items), 0)?.items.map(({ label }) => label)

describe('outputFilter', () => {
  it('passes everything on when nothing is asked, even a result without items', () => {
    expect(kept({}, [dog, cat])).toEqual(['dog', 'cat'])
    expect(kept({}, [])).toEqual([])
  })

  it.each([
    ['labels', { labels: ['dog'] }],
    ['minScore', { minScore: 0.5 }],
    ['minArea', { minArea: 100 }],
    ['region (by the centre of the box)', { region: [0, 0, 50, 50] as OutputSpec['region'] }],
  ])('keeps only the items that pass %s, and nothing when none does', (_name, spec) => {
    expect(kept(spec as Omit<OutputSpec, 'url'>, [dog, cat])).toEqual(['dog'])
    expect(kept(spec as Omit<OutputSpec, 'url'>, [cat])).toBeUndefined()
  })

  it('takes only the inputs that are named', () => {
    const filter = outputFilter({ url: 'mqtt:', inputs: ['yard'] })
    expect(filter(result([dog], 'gate'), 0)).toBeUndefined()
    expect(filter(result([dog], 'yard'), 0)).toBeDefined()
  })

  it('passes at most so many a second, for each input', () => {
    const filter = outputFilter({ url: 'mqtt:', maxPerSecond: 10 })
    const times = [0, 50, 99, 100, 150, 200].filter((now) => filter(result([dog]), now))
    expect(times).toEqual([0, 100, 200])
    expect(filter(result([dog], 'yard'), 201)).toBeDefined()
  })

  it('passes only changes of what is seen, the last disappearance included', () => {
    const filter = outputFilter({ url: 'mqtt:', onChange: true })
    const seen = [[], [dog], [dog], [dog, cat], [cat, dog], [], []]
    const passed = seen.map((items) => filter(result(items), 0) !== undefined)
    expect(passed).toEqual([false, true, false, true, false, true, false])
  })

  it('spends nothing on empty results where the destination has no use for them', () => {
    const filter = outputFilter({ url: 'file:x.jpg', maxPerSecond: 1 }, { needsItems: true })
    const seen = [[], [dog], [dog]]
    expect(seen.map((items) => filter(result(items), 0) !== undefined)).toEqual([
      false,
      true,
      false,
    ])
    const changes = outputFilter({ url: 'file:x.jpg', onChange: true }, { needsItems: true })
    const passed = [[dog], [], [dog]].map((items) => changes(result(items), 0) !== undefined)
    expect(passed).toEqual([true, false, true])
  })
})
