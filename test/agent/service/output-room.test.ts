import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type OutputPlace, outputRoom, type RoomSize } from '../../../agent/service/output-room.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const size: RoomSize = { perInput: true, places: 2, further: 1 }

/** A room, and which of its places let the next result come. */
function roomOf(parts: RoomSize = size) {
  const room = outputRoom(parts)
  const going: string[] = []
  const take = (name: string, input = 'gate'): OutputPlace => {
    const place = room.take(input, true)
    if (!place) throw new Error(`no place for ${name}`)
    if (place.next) void place.next.then(() => going.push(name))
    else going.push(name)
    return place
  }
  return { room, take, going }
}

/** An input of three slots, each of which gives so many results one after another; the places that they took. */
function threeSlots(take: (name: string) => OutputPlace, count: number) {
  const places: OutputPlace[] = []
  const give = async (slot: string): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const place = take(`${slot}${index}`)
      places.push(place)
      await place.next
    }
  }
  return { places, all: Promise.all(['a', 'b', 'c'].map(give)) }
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

it('has those who take its last places wait, one for each that is freed', async () => {
  const { room, take, going } = roomOf()
  const first = take('first')
  const second = take('second')
  take('third')
  await settled()
  expect(going).toEqual(['first'])
  expect(room.take('gate', true)).toBeUndefined()
  first.free()
  await settled()
  expect(going).toEqual(['first', 'second'])
  take('fourth')
  expect(room.take('gate', true)).toBeUndefined()
  second.free()
  await settled()
  expect(going).toEqual(['first', 'second', 'third'])
})

it('drops nothing of an input that gives as many at once as there are places for', async () => {
  const { take, going } = roomOf({ perInput: true, places: 2, further: 2 })
  const { places, all } = threeSlots(take, 10)
  for (let freed = 0; freed < 30; freed++) {
    await settled()
    expect(places.length - freed).toBeLessThanOrEqual(4)
    places[freed]?.free()
  }
  await all
  expect(going).toHaveLength(30)
})

it('has those wait for whom it goes on, however slowly', async () => {
  const { take, going } = roomOf({ perInput: true, places: 2, further: 2 })
  const { places, all } = threeSlots(take, 5)
  for (let freed = 0; freed < 15; freed++) {
    await vi.advanceTimersByTimeAsync(900)
    places[freed]?.free()
  }
  await all
  expect(going).toHaveLength(15)
})

it('has those not wait who would not, and gives them none of the further places', () => {
  const { room } = roomOf()
  expect(room.take('gate', false)?.next).toBeUndefined()
  expect(room.take('gate', false)?.next).toBeUndefined()
  expect(room.take('gate', false)).toBeUndefined()
  expect(room.take('gate', true)?.next).toBeDefined()
  expect(vi.getTimerCount()).toBe(1)
})

it('has nobody wait longer than a second for what is stuck', async () => {
  const { take, going } = roomOf()
  take('first')
  take('second')
  await vi.advanceTimersByTimeAsync(999)
  expect(going).toEqual(['first'])
  await vi.advanceTimersByTimeAsync(1)
  expect(going).toEqual(['first', 'second'])
  expect(vi.getTimerCount()).toBe(0)
})

it('gives each input places of its own, or all of them together', () => {
  const own = roomOf()
  for (const input of ['gate', 'yard']) {
    for (const name of ['first', 'second', 'third']) own.take(name, input)
    expect(own.room.take(input, true)).toBeUndefined()
  }
  const shared = roomOf({ ...size, perInput: false })
  for (const input of ['gate', 'yard', 'gate']) shared.take('one', input)
  expect(shared.room.take('yard', true)).toBeUndefined()
})
