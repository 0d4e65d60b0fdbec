/** Bytes that look random and are the same on every run (a linear congruential generator). */
export function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}
