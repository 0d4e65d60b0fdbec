import { randomUUID } from 'node:crypto'
import type { Upload } from './agent-client.ts'
import type { Body } from './http-exchange.ts'

/** Uploads as a request's body: one by itself, several as multipart/form-data (RFC 7578), none of them in memory. */
export function uploadBody(uploads: readonly Upload[]): Body {
  const [only, ...others] = uploads
  if (only && others.length === 0) {
    const { bytes } = only
    const size = bytes === undefined ? {} : { bytes }
    return { type: 'application/octet-stream', ...size, content: only.open() }
  }
  const boundary = `heliograph-${randomUUID()}`
  const heads = uploads.map(({ name }) => Buffer.from(headOf(boundary, name)))
  const end = Buffer.from(`--${boundary}--\r\n`)
  const sizes = uploads.map(({ bytes }, at) => (heads[at]?.length ?? 0) + (bytes ?? Number.NaN) + 2)
  const bytes = sizes.reduce((sum, size) => sum + size, end.length)
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    ...(Number.isNaN(bytes) ? {} : { bytes }),
    content: parts(uploads, heads, end),
  }
}

async function* parts(
  uploads: readonly Upload[],
  heads: readonly Uint8Array[],
  end: Uint8Array,
): AsyncGenerator<Uint8Array> {
  for (const [at, upload] of uploads.entries()) {
    const head = heads[at]
    if (head) yield head
    yield* upload.open()
    yield Buffer.from('\r\n')
  }
  yield end
}

/** Names are written as browsers write them (HTML, "multipart/form-data encoding algorithm"). */
function headOf(boundary: string, name: string): string {
  const quoted = name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  return `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"\r\nContent-Type: application/octet-stream\r\n\r\n`
}
