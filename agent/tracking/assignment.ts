/**
 * The pairing of rows with columns whose weights have the largest sum, as the column of each row; -1
 * for a row that has none. A pair of weight 0 is no pair. The Hungarian method by shortest augmenting
 * paths (Jonker and Volgenant, 1987), at most rows² × columns steps.
 * @param weights row-major, `rows` × `columns`, none negative
 */
export function assign(weights: Float64Array, rows: number, columns: number): number[] {
  if (rows > columns) return turned(assign(transposed(weights, rows, columns), columns, rows), rows)
  const search = new Search(weights, rows, columns)
  for (let row = 0; row < rows; row++) search.add(row)
  return search.columnOfRow()
}

/** Columns are counted from 1 in here: column 0 stands for the row that is being added. */
class Search {
  readonly #weights: Float64Array
  readonly #rows: number
  readonly #columns: number
  readonly #rowPrice: Float64Array
  readonly #columnPrice: Float64Array
  /** The row that has each column; -1: none. */
  readonly #rowOf: Int32Array
  /** The column before each on the path to it. */
  readonly #before: Int32Array
  readonly #distance: Float64Array
  readonly #visited: Uint8Array

  constructor(weights: Float64Array, rows: number, columns: number) {
    this.#weights = weights
    this.#rows = rows
    this.#columns = columns
    this.#rowPrice = new Float64Array(rows)
    this.#columnPrice = new Float64Array(columns + 1)
    this.#rowOf = new Int32Array(columns + 1).fill(-1)
    this.#before = new Int32Array(columns + 1)
    this.#distance = new Float64Array(columns + 1)
    this.#visited = new Uint8Array(columns + 1)
  }

  /** Gives `row` a column, moving rows that have one along the cheapest path to a free one. */
  add(row: number): void {
    this.#rowOf[0] = row
    this.#distance.fill(Number.POSITIVE_INFINITY)
    this.#visited.fill(0)
    let column = 0
    while (this.#owner(column) >= 0) {
      this.#visited[column] = 1
      column = this.#nearest(column)
    }
    while (column !== 0) {
      const before = this.#before[column] as number
      this.#rowOf[column] = this.#owner(before)
      column = before
    }
  }

  columnOfRow(): number[] {
    const found = new Array<number>(this.#rows).fill(-1)
    for (let column = 1; column <= this.#columns; column++) {
      const row = this.#owner(column)
      if (row >= 0 && this.#weight(row, column) > 0) found[row] = column - 1
    }
    return found
  }

  #owner(column: number): number {
    return this.#rowOf[column] as number
  }

  #weight(row: number, column: number): number {
    return this.#weights[row * this.#columns + column - 1] as number
  }

  /** Looks from the row of column `from`, and moves the prices so that the nearest column costs nothing. */
  #nearest(from: number): number {
    const row = this.#owner(from)
    const rowPrice = this.#rowPrice[row] as number
    let nearest = 0
    let least = Number.POSITIVE_INFINITY
    for (let column = 1; column <= this.#columns; column++) {
      if (this.#visited[column]) continue
      const cost = -this.#weight(row, column) - rowPrice - (this.#columnPrice[column] as number)
      if (cost < (this.#distance[column] as number)) {
        this.#distance[column] = cost
        this.#before[column] = from
      }
      const distance = this.#distance[column] as number
      if (distance < least) {
        least = distance
        nearest = column
      }
    }
    this.#move(least)
    return nearest
  }

  #move(by: number): void {
    for (let column = 0; column <= this.#columns; column++) {
      if (this.#visited[column]) {
        const row = this.#owner(column)
        this.#rowPrice[row] = (this.#rowPrice[row] as number) + by
        this.#columnPrice[column] = (this.#columnPrice[column] as number) - by
      } else {
        this.#distance[column] = (this.#distance[column] as number) - by
      }
    }
  }
}

function transposed(weights: Float64Array, rows: number, columns: number): Float64Array {
  const turned = new Float64Array(weights.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = weights[row * columns + column] as number
    }
  }
  return turned
}

function turned(rowOfColumn: readonly number[], rows: number): number[] {
  const found = new Array<number>(rows).fill(-1)
  for (const [column, row] of rowOfColumn.entries()) if (row >= 0) found[row] = column
  return found
}
