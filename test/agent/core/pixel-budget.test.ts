import { expect, it } from 'vitest'
import { pixelBudget } from '../../../agent/core/pixel-budget.ts'

/** A budget of 10 pixels, and who got in so far. */
function crowd() {
  const budget = pixelBudget(10)
  const inside: string[] = []
  const take = (name: string, pixels: number) =>
    budget.take(pixels).then((give) => {
      inside.push(name)
      return give
    })
  return { inside, take }
}

it('lets in what there is room for', async () => {
  const { inside, take } = crowd()
  await Promise.all([take('a', 4), take('b', 6)])
  expect(inside).toEqual(['a', 'b'])
})

it('has the rest wait in order of asking, small ones too', async () => {
  const { inside, take } = crowd()
  const giveA = await take('a', 8)
  const b = take('b', 5)
  const c = take('c', 1)
  await new Promise(setImmediate)
  expect(inside).toEqual(['a'])
  giveA()
  await Promise.all([b, c])
  expect(inside).toEqual(['a', 'b', 'c'])
})

it('lets one in that is larger than all, alone', async () => {
  const { inside, take } = crowd()
  const giveA = await take('a', 1)
  const b = take('b', 11)
  const c = take('c', 1)
  await new Promise(setImmediate)
  expect(inside).toEqual(['a'])
  giveA()
  const giveB = await b
  expect(inside).toEqual(['a', 'b'])
  giveB()
  await c
  expect(inside).toEqual(['a', 'b', 'c'])
})
