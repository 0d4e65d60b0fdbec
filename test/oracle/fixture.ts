/** One detection of the oracle; `box` is `[x, y, width, height]` in pixels, clipped to the picture. */
export interface OracleItem {
  readonly label: string
  /** The model's class column: COCO id − 1. */
  readonly classId: number
  readonly score: number
  readonly box: readonly number[]
}

/** Every n-th element of a raw output, from the first one on. */
export interface OracleSamples {
  readonly dims: readonly number[]
  readonly every: number
  readonly values: readonly number[]
}

/** A file of test/fixtures/oracle; its README.md says what each field is. */
export interface OracleFixture {
  readonly source: { readonly file: string; readonly frame?: number }
  readonly width: number
  readonly height: number
  readonly thresholds: { minScore: number; iouThreshold: number; maxItems: number }
  readonly items: readonly OracleItem[]
  readonly outputs: { readonly scores: OracleSamples; readonly boxes: OracleSamples }
  readonly candidates: readonly {
    readonly anchor: number
    readonly classId: number
    readonly score: number
    readonly box: readonly number[]
  }[]
  readonly tools: Readonly<Record<string, string>>
}

/** Every `step`-th number of `data`, from the first one on. */
export function sampleEvery(data: ArrayLike<number>, step: number): number[] {
  return Array.from(
    { length: Math.ceil(data.length / step) },
    (_, index) => data[index * step] ?? 0,
  )
}
