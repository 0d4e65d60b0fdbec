/** One line of an exposition that holds a value. */
export interface Line {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The values of an exposition in Prometheus' text format. */
export function linesIn(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
        value: Number(value),
      }
    })
}

/** The one value with this name and, at least, these labels. */
export function valueIn(
  lines: readonly Line[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = lines.filter(
    (line) =>
      line.name === name &&
      Object.entries(labels).every(([key, text]) => line.labels[key] === text),
  )
  if (found.length > 1) throw new Error(`${found.length} values of ${name}`)
  return found[0]?.value
}
