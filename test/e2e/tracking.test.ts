import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Item, Result } from '../../schemas/results.ts'
import type { TrackEvent } from '../../schemas/state.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'

let agent: AgentUnderTest

beforeAll(async () => {
  agent = await startAgentUnderTest()
})
afterAll(async () => {
  await agent.stop()
})

const add = (service: string, more: object) => agent.ask('$cmd/service/add', { service, ...more })

/** Of one service, in the order in which they were heard. */
const resultsOf = (service: string): Result[] =>
  agent.heard
    .filter(({ topic }) => topic === agent.topic(`${service}/detections/default`))
    .map(({ value }) => value)
const eventsOf = (service: string): TrackEvent[] =>
  agent.heard
    .filter(({ topic }) => topic === agent.topic(`${service}/event/default`))
    .map(({ value }) => value)
    .filter(({ type }) => type !== 'ended')

const tracksOf = (results: readonly Result[]): Set<number | undefined> =>
  new Set(results.flatMap(({ items }) => items.map(({ track }) => track)))

it('follows the dog of the clip under one number, through scores far below the threshold', async () => {
  // One picture a second: at this threshold alone, the dog is out of sight for three seconds.
  const options = { minScore: 0.95, track: true }
  const input = { url: media('dog.mp4'), pace: 'fast', fps: 1 }
  await add('slow', { model: { options }, input })
  await agent.next('slow/event/default', ({ type }) => type === 'ended', 0)
  const results = resultsOf('slow')
  const low = results.flatMap(({ items }) => items).filter(({ score }) => score < 0.95)
  expect(low.length).toBeGreaterThan(0)
  const followed = results.filter(({ items }) => items.some(({ track }) => track !== undefined))
  expect(tracksOf(followed)).toEqual(new Set([1]))
  const lives = eventsOf('slow').map(({ type }) => type)
  expect([lives[0], lives.at(-1), lives.filter((type) => type !== 'update').length]).toEqual([
    'new',
    'end',
    2,
  ])
}, 60_000)

it('tells the whole life of the dog at its end', async () => {
  const input = { url: media('dog.mp4'), pace: 'fast', fps: 5 }
  await add('clip', { model: { options: { track: true } }, input })
  await agent.next('clip/event/default', ({ type }) => type === 'ended', 0)
  const results = resultsOf('clip')
  const dogs = results.flatMap(({ items, capturedAt }) =>
    items.map((item): Item & { at: number } => ({ ...item, at: capturedAt })),
  )
  expect(results.length).toBeGreaterThan(50)
  expect(tracksOf(results)).toEqual(new Set([1]))
  const best = dogs.toSorted((a, b) => b.score - a.score)[0]
  expect(eventsOf('clip').at(-1)).toMatchObject({
    v: 1,
    type: 'end',
    input: 'default',
    run: results[0]?.run,
    track: 1,
    label: 'dog',
    classId: 17,
    frames: dogs.length,
    firstAt: dogs[0]?.at,
    lastAt: dogs.at(-1)?.at,
    box: dogs.at(-1)?.box,
    bestScore: best?.score,
    bestBox: best?.box,
  })
}, 60_000)

it('is switched on and off while it runs, and ends objects when the input is removed', async () => {
  await add('live', { input: { url: media('dog.mp4'), loop: true } })
  const before = await agent.next('live/detections/default', ({ items }) => items.length > 0, 0)
  expect(before.value.items[0].track).toBeUndefined()

  const since = agent.heard.length
  await agent.ask('live/model/set', { options: { track: true } })
  const began = await agent.next('live/event/default', ({ type }) => type === 'new', since)
  expect(began.value).toMatchObject({ label: 'dog', track: 1, run: before.value.run })
  const { value } = await agent.next(
    'live/detections/default',
    ({ items }) => items.some(({ track }: Item) => track === 1),
    since,
  )
  expect(value.run).toBe(before.value.run)
  await agent.next('live/event/default', ({ type }) => type === 'update', since)

  const off = agent.heard.length
  await agent.ask('live/model/set', { options: { track: false } })
  await agent.next('live/event/default', ({ type, track }) => type === 'end' && track === 1, off)
  const plain = await agent.next('live/detections/default', ({ items }) => items.length > 0)
  expect(plain.value.items[0].track).toBeUndefined()

  const again = agent.heard.length
  await agent.ask('live/model/set', { options: { track: true } })
  await agent.next('live/event/default', ({ type, track }) => type === 'new' && track === 2, again)
  await agent.ask('live/input/set', { default: null })
  await agent.next('live/event/default', ({ type, track }) => type === 'end' && track === 2, again)
}, 60_000)

it('does not follow what is asked for once, and leaves low scores out of it', async () => {
  const picture = media('two-dogs.jpg')
  const plain = await agent.ask('live/compute', { action: 'once', input: picture })
  await agent.ask('live/model/set', { options: { track: false } })
  const off = await agent.ask('live/compute', { action: 'once', input: picture })
  expect(plain.data.items).toEqual(off.data.items)
  expect(plain.data.items.length).toBeGreaterThan(0)
})
