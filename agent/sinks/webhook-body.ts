import { randomUUID } from 'node:crypto'

/** What a webhook sends, and how it says what it is. */
export interface WebhookBody {
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** The result alone. */
export function jsonBody(json: string): WebhookBody {
  return { contentType: 'application/json', bytes: Buffer.from(json) }
}

/** The parts `result` (JSON) and `image` (JPEG) of a form (RFC 7578). */
export function formBody(json: string, jpeg: Uint8Array, fileName: string): WebhookBody {
  const boundary = `heliograph-${randomUUID()}`
  const part = (disposition: string, type: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: ${type}\r\n\r\n`
  const bytes = Buffer.concat([
    Buffer.from(`${part('name="result"', 'application/json')}${json}\r\n`),
    Buffer.from(part(`name="image"; filename="${fileName}"`, 'image/jpeg')),
    jpeg,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes }
}
