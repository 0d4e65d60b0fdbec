/** `before` with the patch applied: a value replaces, null removes. */
export function merged<T>(
  before: Readonly<Record<string, T>>,
  patch: Readonly<Record<string, T | null>>,
): Readonly<Record<string, T>> {
  const all = { ...before, ...patch }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, T] => entry[1] !== null),
  )
}

/** `record` without `keys`. */
export function omit<T>(
  record: Readonly<Record<string, T>>,
  keys: readonly string[],
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
}

/** One value per key. */
export function each<T>(
  keys: readonly string[],
  value: (key: string) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(keys.map((key) => [key, value(key)]))
}

/** The same keys, each value changed. */
export function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
