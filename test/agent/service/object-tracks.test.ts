import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import type { Sample, Source } from '../../../agent/core/stages.ts'
import type { Inferrer } from '../../../agent/pipeline/results.ts'
import { crashRecord } from '../../../agent/service/crash-record.ts'
import { InputRunner } from '../../../agent/service/input-runner.ts'
import type { InputReport } from '../../../agent/service/messages.ts'
import type { Item, Result } from '../../../schemas/results.ts'
import type { InputEvent } from '../../../schemas/state.ts'
import { countedSample, type Meter } from '../pipeline/samples.ts'

const dog = (score: number): Item => ({ label: 'dog', classId: 17, score, box: [10, 10, 50, 40] })

/** What each picture shows, whether it is tracked, and by which model. */
interface Shown {
  readonly items: readonly Item[]
  readonly track: boolean
  readonly model?: string
}

/** Runs pictures through an input. @param attempts pictures of each opening; all but the last break off */
class Stage {
  readonly meter: Meter = { alive: 0, most: 0 }
  readonly results: Result[] = []
  readonly events: InputEvent[] = []
  readonly runner: InputRunner
  readonly #reports = new Set<(report: InputReport) => void>()

  constructor(attempts: readonly (readonly Shown[])[], { endless = false, follow = true } = {}) {
    const shown = attempts.flat()
    let opened = 0
    let number = 0
    const samples = async function* (meter: Meter, signal: AbortSignal): AsyncGenerator<Sample> {
      opened += 1
      for (const _ of attempts[opened - 1] ?? []) yield countedSample(meter, number++)
      if (opened < attempts.length)
        throw new AgentError('SOURCE_UNREACHABLE', 'it broke off', { retryable: true })
      if (endless) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
    const source: Source = { live: false, samples: (signal) => samples(this.meter, signal) }
    const inferrer: Inferrer = {
      current: async () => ({
        id: shown[this.results.length]?.model ?? 'any',
        model: modelStub,
      }),
      preprocess: async (_by, { pts }) => ({ inputs: {}, meta: pts }),
      async run(_by, { meta }) {
        const { items, track } = shown[Number(meta)] ?? { items: [], track: false }
        const tracking = track ? { tracking: { minScore: 0.5 } } : {}
        return { stale: false, items, ...tracking, inferMs: 1, postprocessMs: 0 }
      },
    }
    this.runner = new InputRunner({
      id: 'gate',
      spec: { url: 'synthetic:' },
      source,
      inferrer,
      place: crashRecord(join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'a')).place('gate'),
      maxAlive: 1,
      deliver: async ({ result }) => void this.results.push(result),
      report: (report) => {
        for (const tell of this.#reports) tell(report)
      },
      ...(follow ? { event: (event: InputEvent) => void this.events.push(event) } : {}),
      fault: () => {},
    })
  }

  /** Runs it until its state is `state`. */
  async until(state: InputReport['state']): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#reports.add((report) => report.state === state && resolve())
      this.runner.open()
    })
  }

  lives(): string[] {
    return this.events.map((event) =>
      event.type === 'ended' ? 'ended' : `${event.type} ${event.label} ${event.track}`,
    )
  }

  tracks(): (number | undefined)[][] {
    return this.results.map(({ items }) => items.map(({ track }) => track))
  }
}

const modelStub = {
  kind: 'detections' as const,
  preprocess: () => Promise.reject(new Error('the inferrer does it')),
  postprocess: () => [],
}

const on = (...items: Item[]): Shown => ({ items, track: true })
const off = (...items: Item[]): Shown => ({ items, track: false })

it('puts tracks into results, tells of the object, and ends it before the input', async () => {
  const stage = new Stage([[on(dog(0.9)), on(dog(0.3)), on(dog(0.8))]])
  await stage.until('ended')
  expect(stage.tracks()).toEqual([[1], [1], [1]])
  expect(stage.lives()).toEqual(['new dog 1', 'end dog 1', 'ended'])
  const [result] = stage.results
  expect(stage.events[1]).toMatchObject({
    v: 1,
    input: 'gate',
    run: result?.run,
    classId: 17,
    frames: 3,
    bestScore: 0.9,
    box: [10, 10, 50, 40],
  })
  expect(stage.meter.alive).toBe(0)
})

it('ends objects when tracking is switched off, and counts on when it is switched on again', async () => {
  const stage = new Stage([[on(dog(0.9)), off(dog(0.9)), on(dog(0.9))]])
  await stage.until('ended')
  expect(stage.tracks()).toEqual([[1], [undefined], [2]])
  expect(stage.lives()).toEqual(['new dog 1', 'end dog 1', 'new dog 2', 'end dog 2', 'ended'])
})

it('ends objects when the source breaks off, and counts from 1 in the next run', async () => {
  const stage = new Stage([[on(dog(0.9))], [on(dog(0.9))]])
  await stage.until('ended')
  expect(stage.lives()).toEqual(['new dog 1', 'end dog 1', 'new dog 1', 'end dog 1', 'ended'])
  const runs = stage.events.map(({ run }) => run)
  expect(runs).toEqual([runs[0], runs[0], runs[4], runs[4], runs[4]])
  expect(runs[0]).not.toBe(runs[4])
})

it('ends objects when the input is closed', async () => {
  const stage = new Stage([[on(dog(0.9)), on(dog(0.9))]], { endless: true })
  await stage.until('live')
  while (stage.results.length < 2) await new Promise((resolve) => setImmediate(resolve))
  await stage.runner.close()
  expect(stage.lives()).toEqual(['new dog 1', 'end dog 1'])
})

it("ends a model's objects when another model takes over", async () => {
  const stage = new Stage([
    [
      { ...on(dog(0.9)), model: 'first' },
      { ...on(dog(0.9)), model: 'second' },
    ],
  ])
  await stage.until('ended')
  expect(stage.tracks()).toEqual([[1], [2]])
  expect(stage.lives()).toEqual(['new dog 1', 'end dog 1', 'new dog 2', 'end dog 2', 'ended'])
})

it('follows nothing for who takes no events, and leaves out what only a tracker can use', async () => {
  const stage = new Stage([[on(dog(0.9), dog(0.2)), on(dog(0.9))]], { follow: false })
  await stage.until('ended')
  expect(stage.tracks()).toEqual([[undefined], [undefined]])
})
