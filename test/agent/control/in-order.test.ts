import { describe, expect, it } from 'vitest'
import { inOrder } from '../../../agent/control/in-order.ts'

/** Sources whose items come when the test lets them; it notes who began and who ended. */
function sources(names: readonly string[], items = 2) {
  const begun: string[] = []
  const ended: string[] = []
  const gates = new Map(names.map((name) => [name, gate()]))
  const make = names.map(
    (name) =>
      async function* () {
        begun.push(name)
        try {
          await gates.get(name)?.opened
          for (let at = 0; at < items; at++) yield `${name}${at}`
        } finally {
          ended.push(name)
        }
      },
  )
  return { make, begun, ended, open: (name: string) => gates.get(name)?.open() }
}

function gate() {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('several sources in order', () => {
  it('give their items in order, whichever is ready first', async () => {
    const { make, open } = sources(['a', 'b', 'c'])
    const all = collected(inOrder(make, 2))
    for (const name of ['c', 'b', 'a']) open(name)
    expect(await all).toEqual(['a0', 'a1', 'b0', 'b1', 'c0', 'c1'])
  })

  it('begin as many ahead as they may, and no more', async () => {
    const { make, begun, open } = sources(['a', 'b', 'c', 'd'], 1)
    const items = inOrder(make, 1)
    const first = items.next()
    expect(begun).toEqual(['a', 'b'])
    open('a')
    expect(await first).toEqual({ done: false, value: 'a0' })
    for (const name of ['b', 'c', 'd']) open(name)
    expect(await collected(items)).toEqual(['b0', 'c0', 'd0'])
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
  })

  it('end all that have begun when the loop is left', async () => {
    const { make, ended, open } = sources(['a', 'b', 'c'])
    for (const name of ['a', 'b', 'c']) open(name)
    const items = inOrder(make, 1)
    await items.next()
    await items.return()
    expect(ended.toSorted()).toEqual(['a', 'b'])
  })

  it('fail where the failing one has its turn, and not before', async () => {
    const { make, ended, open } = sources(['a'])
    const failing = async function* (): AsyncGenerator<string, void, void> {
      yield 'b0'
      throw new Error('b is broken')
    }
    open('a')
    const items = inOrder([...make, failing], 3)
    const seen = [await items.next(), await items.next(), await items.next()]
    expect(seen.map(({ value }) => value)).toEqual(['a0', 'a1', 'b0'])
    await expect(items.next()).rejects.toThrow('b is broken')
    expect(ended).toEqual(['a'])
  })

  it('are done at once where there are none', async () => {
    expect(await collected(inOrder([], 3))).toEqual([])
  })
})
