/**
 * The items of several sources, one source after the other. Up to `ahead` of those that follow have begun already,
 * and hold their first item ready. Leaving the loop ends all that have begun.
 */
export async function* inOrder<T>(
  sources: readonly (() => AsyncGenerator<T, void, void>)[],
  ahead: number,
): AsyncGenerator<T, void, void> {
  const waiting = [...sources]
  const begun: { items: AsyncGenerator<T, void, void>; first: Promise<IteratorResult<T, void>> }[] =
    []

  function begin(): void {
    while (begun.length <= ahead) {
      const items = waiting.shift()?.()
      if (!items) return
      const first = items.next()
      // Whoever comes to it sees the failure; nobody may ever come to it.
      first.catch(() => undefined)
      begun.push({ items, first })
    }
  }
  try {
    for (begin(); begun[0]; begin()) {
      const { items, first } = begun[0]
      for (let item = await first; !item.done; item = await items.next()) yield item.value
      begun.shift()
    }
  } finally {
    await Promise.all(begun.map(({ items }) => items.return()))
  }
}
