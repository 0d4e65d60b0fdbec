import { createHmac } from 'node:crypto'

/**
 * Headers by which a receiver knows who sent a webhook, and when: HMAC-SHA256 (RFC 2104) with the shared
 * secret over the timestamp (Unix ms, as in its header), a dot and the body.
 */
export function signatureHeaders(
  secret: string | undefined,
  body: Uint8Array,
  now: number,
): Record<string, string> {
  const timestamp = String(now)
  const headers = { 'x-heliograph-timestamp': timestamp }
  if (secret === undefined) return headers
  const hash = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
  return { ...headers, 'x-heliograph-signature': `sha256=${hash}` }
}
