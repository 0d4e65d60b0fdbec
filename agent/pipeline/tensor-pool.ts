import type { TensorPool } from '../core/stages.ts'

/** A pool to which the inference threads' buffers come back. */
export interface ReturningPool extends TensorPool {
  giveBack(buffers: readonly ArrayBuffer[]): void
}

/** Buffers kept per size: enough for what is under way, so that a running pipeline allocates nothing. */
const KEPT = 8

/** A pool that keeps up to eight buffers of the sizes in use. */
export function tensorPool(): ReturningPool {
  const idle = new Map<number, ArrayBuffer[]>()
  return {
    lend: (bytes) => idle.get(bytes)?.pop() ?? new ArrayBuffer(bytes),
    giveBack(buffers) {
      for (const buffer of buffers) {
        const same = idle.get(buffer.byteLength) ?? []
        if (same.length < KEPT) same.push(buffer)
        idle.set(buffer.byteLength, same)
      }
    },
  }
}
