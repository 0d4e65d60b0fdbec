/**
 * How a stored picture is to be turned for display, as the axes of the display matrix of ISO
 * 14496-12: a stored pixel (p, q) is shown at (a·p + c·q, b·p + d·q), moved to the origin.
 * Entries are -1, 0 or 1.
 */
export interface Turn {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** Pixels of `bytes` bytes each, rows `stride` bytes apart. */
export interface Plane {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
  readonly stride: number
}

/**
 * Reads FFmpeg's display matrix: nine native 32-bit integers, 16.16 fixed point. Turns by right
 * angles and mirrors are understood; anything else, and none, is shown as it is stored.
 */
export function turnOf(matrix: Uint8Array | null | undefined): Turn | undefined {
  if (!matrix || matrix.byteLength < 36) return undefined
  const entries = new Int32Array(matrix.slice(0, 36).buffer)
  const [a = 0, b = 0, , c = 0, d = 0] = Array.from(entries, (entry) =>
    Math.sign(Math.round(entry / 0x10000)),
  )
  const rightAngle = (a === 0) === (d === 0) && (b === 0) === (c === 0) && (a === 0) !== (b === 0)
  const upright = a === 1 && d === 1
  return rightAngle && !upright ? { a, b, c, d } : undefined
}

/** Whether `turn` swaps width and height. */
export function swapsAxes(turn: Turn): boolean {
  return turn.a === 0
}

/** Writes `from`, turned, to `to`, whose size is that of `from` with the axes swapped if need be. */
export function turnPlane(from: Plane, to: Plane, turn: Turn, bytes: number): void {
  const firstColumn = turn.a + turn.b < 0 ? from.width - 1 : 0
  const firstRow = turn.c + turn.d < 0 ? from.height - 1 : 0
  const stepX = turn.a * bytes + turn.c * from.stride
  const stepY = turn.b * bytes + turn.d * from.stride
  const origin = firstColumn * bytes + firstRow * from.stride
  for (let y = 0; y < to.height; y++) {
    let source = origin + y * stepY
    let target = y * to.stride
    for (let x = 0; x < to.width; x++) {
      for (let byte = 0; byte < bytes; byte++) {
        to.data[target + byte] = from.data[source + byte] ?? 0
      }
      source += stepX
      target += bytes
    }
  }
}
