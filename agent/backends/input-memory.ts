import type { TensorData } from '../core/stages.ts'

/**
 * Memory of a session's own for its inputs, kept from run to run: one buffer for each input, as large as
 * the largest run so far. Whatever was returned for an input before is overwritten.
 */
export function inputMemory(): (input: string, parts: readonly TensorData[]) => TensorData {
  const kept = new Map<string, ArrayBuffer>()

  function memoryOf(input: string, bytes: number): ArrayBuffer {
    const before = kept.get(input)
    if (before && before.byteLength >= bytes) return before
    const larger = new ArrayBuffer(bytes)
    kept.set(input, larger)
    return larger
  }

  return (input, parts) => {
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const memory = memoryOf(input, bytes)
    let at = 0
    for (const { buffer, byteOffset, byteLength } of parts) {
      new Uint8Array(memory, at, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength))
      at += byteLength
    }
    return viewLike(parts[0], memory, bytes)
  }
}

/** `bytes` of `memory` as the element type that `like` has. */
function viewLike(like: TensorData | undefined, memory: ArrayBuffer, bytes: number): TensorData {
  const View = (like?.constructor ?? Uint8Array) as typeof Uint8Array
  return new View(memory, 0, bytes / View.BYTES_PER_ELEMENT)
}
