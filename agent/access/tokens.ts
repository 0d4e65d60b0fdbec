import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** `redact` knows tokens by it. */
const PREFIX = 'hg_'
const TOKEN_BYTES = 32

/** A new token: 256 bits from the system's generator, in base64url. */
export function newToken(): string {
  return PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
}

/** What is stored of a token. It is random, so a fast hash without salt tells nothing. */
export function tokenHash(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`
}

/** Whether `hash` is among `hashes`; how long that takes does not tell which, nor how much of one agrees. */
export function holdsHash(hashes: readonly string[], hash: string): boolean {
  const wanted = Buffer.from(hash)
  return hashes.reduce((found, one) => {
    const other = Buffer.from(one)
    const same = other.length === wanted.length && timingSafeEqual(other, wanted)
    return same || found
  }, false)
}
