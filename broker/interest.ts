/** Tells which topic filters connected clients hold, whenever that changes. */
export interface Interest {
  /** @param take gets every filter, once; at first with what there is */
  onFilters(take: (filters: ReadonlySet<string>) => void): void
  /** Something may have changed; several changes at once are told once. */
  changed(): void
}

/** @param filters those of every connected client */
export function interest(filters: () => Iterable<string>): Interest {
  const takers: ((filters: ReadonlySet<string>) => void)[] = []
  let scheduled = false
  const tell = (): void => {
    scheduled = false
    const now = new Set(filters())
    for (const take of takers) take(now)
  }
  return {
    onFilters(take) {
      takers.push(take)
      take(new Set(filters()))
    },
    changed() {
      if (scheduled || takers.length === 0) return
      scheduled = true
      setImmediate(tell)
    },
  }
}
