/** One measured figure: a value per round, judged by their median. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly rounds: readonly number[]
  /** What the median must stay below, or above. */
  readonly limit?: { readonly atMost: number } | { readonly atLeast: number }
}

/** The middle value; the mean of the middle two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which a share of the others lies, between neighbours in proportion. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('no values')
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return low + (high - low) * (at - Math.floor(at))
}

/** Whether the median keeps its limit; true where there is none. */
export function holds({ rounds, limit }: Figure): boolean {
  if (!limit) return true
  const middle = median(rounds)
  return 'atMost' in limit ? middle <= limit.atMost : middle >= limit.atLeast
}

/** The figures as a Markdown table. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${digits(median(figure.rounds))} ${figure.unit}`.trim(),
    `${digits(Math.min(...figure.rounds))} – ${digits(Math.max(...figure.rounds))}`,
    String(figure.rounds.length),
    limitOf(figure),
  ])
  const head = ['figure', 'median', 'spread', 'rounds', 'target']
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function limitOf(figure: Figure): string {
  const { limit } = figure
  if (!limit) return ''
  const wanted = 'atMost' in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`
  return `${wanted} ${holds(figure) ? '✓' : '✗'}`
}

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
