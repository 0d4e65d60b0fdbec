import type { Result } from '../../schemas/results.ts'

/** A result, and the service that it came from. */
export interface Seen {
  readonly service: string
  readonly result: Result
}

/** What was seen in the last `seconds`, one line for each input: its rate, and what its newest result holds. */
export function seenLines(seen: readonly Seen[], seconds: number): string[] {
  const inputs = new Map<string, Result[]>()
  for (const { service, result } of seen) {
    const name = `${service}/${result.input}`
    inputs.set(name, [...(inputs.get(name) ?? []), result])
  }
  return [...inputs].map(([name, results]) => {
    const fps = (results.length / seconds).toFixed(1)
    return `${name}  ${fps.padStart(5)} fps  ${labelsOf(results.at(-1)?.items ?? [])}`
  })
}

/** `dog 96 %, 2 × chair 71 %`: how many of each, and the best score; the best first. */
export function labelsOf(items: Result['items']): string {
  const found = new Map<string, { count: number; best: number }>()
  for (const { label, score } of items) {
    const { count, best } = found.get(label) ?? { count: 0, best: 0 }
    found.set(label, { count: count + 1, best: Math.max(best, score) })
  }
  const parts = [...found]
    .sort(([, a], [, b]) => b.best - a.best)
    .map(([label, { count, best }]) => {
      const many = count > 1 ? `${count} × ` : ''
      return `${many}${label} ${Math.round(best * 100)} %`
    })
  return parts.join(', ') || 'nothing'
}
