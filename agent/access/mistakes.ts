/** Wrong tokens of one address that are still answered as such, in each window. */
const ALLOWED = 10
const WINDOW_MS = 60_000
/** The oldest are forgotten beyond this. */
const MAX_ADDRESSES = 5000

/** Counts wrong tokens by client address. */
export interface Mistakes {
  /** One more of this address. @returns seconds until the next may be answered, 0 for now */
  add(address: string, nowMs: number): number
}

/** Remembers at most 5000 addresses; those of one IPv6 network (/64) are one. */
export function mistakes(): Mistakes {
  const byNetwork = new Map<string, { count: number; readonly until: number }>()
  return {
    add(address, nowMs) {
      const network = networkOf(address)
      const known = byNetwork.get(network)
      const entry = known && known.until > nowMs ? known : { count: 0, until: nowMs + WINDOW_MS }
      entry.count += 1
      byNetwork.delete(network)
      byNetwork.set(network, entry)
      for (const [oldest] of byNetwork) {
        if (byNetwork.size <= MAX_ADDRESSES) break
        byNetwork.delete(oldest)
      }
      return entry.count > ALLOWED ? Math.ceil((entry.until - nowMs) / 1000) : 0
    },
  }
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  if (!plain.includes(':')) return plain
  const [left = '', right = ''] = plain.split('::')
  const head = left.split(':').filter((part) => part !== '')
  const tail = right.split(':').filter((part) => part !== '')
  const zeros = plain.includes('::') ? Math.max(0, 8 - head.length - tail.length) : 0
  return [...head, ...Array<string>(zeros).fill('0'), ...tail].slice(0, 4).join(':')
}
