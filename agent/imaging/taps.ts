/** Weights of taps are in 1/2048: the product of two of them and a byte still fits 31 bits. */
export const ONE = 2048

/** For each target position: the offset of the sample before it, and the weight of the one behind. */
export interface Taps {
  readonly first: Int32Array
  /** From the first sample to the second; 0 where there is only one. */
  readonly gap: number
  readonly weight: Int32Array
}

/**
 * The two taps per position of a linear resize from `source` to `target` samples that lie `step`
 * apart, at `position × scale + shift`.
 */
export function taps(
  source: number,
  target: number,
  step: number,
  scale: number = source / target,
  shift = 0,
): Taps {
  const first = new Int32Array(target)
  const weight = new Int32Array(target)
  for (let i = 0; i < target; i++) {
    const position = Math.min(Math.max(i * scale + shift, 0), source - 1)
    const whole = Math.min(Math.floor(position), Math.max(source - 2, 0))
    first[i] = whole * step
    weight[i] = Math.round((position - whole) * ONE)
  }
  return { first, gap: source > 1 ? step : 0, weight }
}
