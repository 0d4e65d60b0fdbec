import type { Item, Result } from '../../schemas/results.ts'
import type { TextFormat } from './text-sink.ts'

type Cell = string | number | undefined

/** Column → cell, in order. Within version 1, columns are only added, at the end. */
const columns: Readonly<Record<string, (result: Result, item: Item) => Cell>> = {
  time: ({ capturedAt }) => new Date(capturedAt).toISOString(),
  capturedAt: ({ capturedAt }) => capturedAt,
  input: ({ input }) => input,
  run: ({ run }) => run,
  seq: ({ seq }) => seq,
  pts: ({ pts }) => pts,
  model: ({ model }) => model,
  label: (_, { label }) => label,
  classId: (_, { classId }) => classId,
  score: (_, { score }) => score,
  x: (_, { box }) => box[0],
  y: (_, { box }) => box[1],
  width: (_, { box }) => box[2],
  height: (_, { box }) => box[3],
  track: (_, { track }) => track,
  frameWidth: ({ width }) => width,
  frameHeight: ({ height }) => height,
  source: ({ source }) => source,
  tag: ({ tag }) => tag,
}

/** One row per item (RFC 4180), below a header. */
export const csv: TextFormat = {
  header: row(Object.keys(columns)),
  text: (result) =>
    result.items
      .map((item) => row(Object.values(columns).map((cell) => cell(result, item))))
      .join(''),
}

function row(cells: readonly Cell[]): string {
  return `${cells.map(field).join(',')}\r\n`
}

/** Spreadsheets run texts that begin like a formula: those get an apostrophe in front. */
function field(cell: Cell): string {
  if (cell === undefined) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
