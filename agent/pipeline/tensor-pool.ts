import type { TensorPool, Tensors } from '../core/stages.ts'

/** A pool to which the inputs of a run come back. */
export interface ReturningPool extends TensorPool {
  /** Buffers kept of each size in use, at most, though never less than eight. */
  most: number
  giveBack(inputs: Tensors): void
}

/** Buffers kept per size: enough for what is under way, so that a running pipeline allocates nothing. */
const KEPT = 8

/**
 * A pool that keeps up to eight buffers of the sizes in use. They are shared with the inference threads
 * and not handed over to them: V8 compiles every access to every typed array of a thread with one more
 * check as soon as that thread has handed over a single buffer, and scaling then takes half as long again.
 */
export function tensorPool(): ReturningPool {
  const idle = new Map<number, SharedArrayBuffer[]>()
  return {
    most: KEPT,
    lend: (bytes) => idle.get(bytes)?.pop() ?? new SharedArrayBuffer(bytes),
    giveBack(inputs) {
      for (const { data } of Object.values(inputs)) {
        const { buffer } = data
        if (!(buffer instanceof SharedArrayBuffer)) continue
        const same = idle.get(buffer.byteLength) ?? []
        if (same.length < Math.max(KEPT, this.most)) same.push(buffer)
        idle.set(buffer.byteLength, same)
      }
    },
  }
}
