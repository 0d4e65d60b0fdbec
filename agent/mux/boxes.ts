/** Bytes of a box, in parts: numbers are single bytes. */
type Part = Uint8Array | readonly number[]

/** A box: size, type and content (ISO/IEC 14496-12, section 4.2). */
export function box(type: string, ...parts: readonly Part[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 8)
  const bytes = new Uint8Array(size)
  bytes.set([...u32(size), ...text(type)])
  let at = 8
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** A box whose content begins with a version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Part[]
): Uint8Array {
  return box(type, [version, ...u32(flags).slice(1)], ...parts)
}

/** The two bytes of a number, highest first. */
export const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255]

/** The four bytes of a number, highest first. */
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]

/** The eight bytes of a number below 2⁵³, highest first. */
export const u64 = (value: number): number[] => [
  ...u32(Math.floor(value / 2 ** 32)),
  ...u32(value % 2 ** 32),
]

/** A four-character code, or any ASCII text, as bytes. */
export const text = (ascii: string): number[] => Array.from(ascii, (char) => char.charCodeAt(0))
