import type { Candidate } from '../imaging/nms.ts'

/** More than any model has objects to show; removing overlaps compares each with all that are kept. */
const MOST = 2000

/**
 * Collects the best candidates of a model's raw output. It bounds what a score threshold near 0 costs:
 * at twice `MOST` the worse half is forgotten, and from then on only better ones are taken.
 */
export class BestCandidates {
  #candidates: Candidate[] = []
  #least: number

  constructor(minScore: number) {
    this.#least = minScore
  }

  /** Whoever scores less need not be added. Rises as better ones come. */
  get least(): number {
    return this.#least
  }

  /** Takes a candidate, unless a number of it is not finite. */
  add(candidate: Candidate): void {
    if (!Number.isFinite(candidate.score) || !candidate.box.every(Number.isFinite)) return
    this.#candidates.push(candidate)
    if (this.#candidates.length < 2 * MOST) return
    this.#candidates = this.ranked()
    this.#least = this.#candidates.at(-1)?.score ?? this.#least
  }

  /** At most `MOST`, best first; of equal ones the earlier first. */
  ranked(): Candidate[] {
    return this.#candidates.toSorted((a, b) => b.score - a.score).slice(0, MOST)
  }
}
