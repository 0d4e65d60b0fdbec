/** The part of a terminal or file that progress is written to. */
export interface ProgressStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Shows how far something long is. */
export interface Progress {
  /** `total` is undefined where nobody knows it; `note` is for terminals only. */
  update(title: string, done: number, total: number | undefined, note?: string): void
  /** Takes the line away again. */
  end(): void
}

const BAR = 24
const REDRAW_MS = 100

/** On a terminal one line that is redrawn; elsewhere one line for each title and each 10 %. */
export function progress(stream: ProgressStream): Progress {
  return stream.isTTY ? redrawn(stream) : printed(stream)
}

function redrawn(stream: ProgressStream): Progress {
  let drawnAt = Number.NEGATIVE_INFINITY
  let last = { title: '', text: '' }
  return {
    update(title, done, total, note = '') {
      const text = `${line(title, done, total)} ${note}`
      const now = performance.now()
      const soon = title === last.title && now - drawnAt < REDRAW_MS && done !== total
      if (soon || text === last.text) return
      drawnAt = now
      last = { title, text }
      stream.write(`\r${text}\x1b[K`)
    },
    end: () => void stream.write('\r\x1b[K'),
  }
}

function printed(stream: ProgressStream): Progress {
  let last = ''
  return {
    update(title, done, total) {
      const step = total ? Math.floor((done / total) * 10) * 10 : 0
      const text = total ? `${title} ${step} %` : `${title} …`
      if (text !== last) stream.write(`${text}\n`)
      last = text
    },
    end: () => undefined,
  }
}

function line(title: string, done: number, total: number | undefined): string {
  if (!total) return `${title} …`
  const share = Math.min(1, done / total)
  const full = Math.round(share * BAR)
  return `${title} [${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${Math.floor(share * 100)} %`
}
