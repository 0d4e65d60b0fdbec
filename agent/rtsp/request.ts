import type { RtspLimits } from './limits.ts'
import type { Status } from './response.ts'

/** One request (RFC 2326, section 6). */
export interface RtspRequest {
  readonly method: string
  /** Printable ASCII only. */
  readonly url: string
  /** By name in lower case; of several with one name, the values joined by commas. */
  readonly headers: ReadonlyMap<string, string>
  /** Digits. */
  readonly cseq: string
  readonly body: Buffer
}

/** What a client sent: a request, binary data on a channel (section 10.12), or something else. */
export type Incoming =
  | { readonly kind: 'request'; readonly request: RtspRequest }
  | { readonly kind: 'data'; readonly channel: number }
  | { readonly kind: 'fault'; readonly status: Status }

type ReadLimits = Pick<RtspLimits, 'headBytes' | 'headers' | 'bodyBytes'>

interface Head {
  readonly method: string
  readonly url: string
  readonly headers: ReadonlyMap<string, string>
  readonly cseq: string
  readonly bodyBytes: number
}

const DOLLAR = 0x24
const NEWLINE = 0x0a
const RETURN = 0x0d
const requestLine = /^([A-Z_]{1,32}) ([!-~]{1,2048}) RTSP\/(\d+)\.\d+$/

/**
 * Cuts what one client sends into requests and binary data; give it the bytes as they come. Never
 * throws. After a fault it reads nothing more: the connection is to be closed.
 */
export function requestReader(limits: ReadLimits): (chunk: Buffer) => Iterable<Incoming> {
  let held: Buffer = Buffer.alloc(0)
  let skip = 0
  let broken = false

  function take(count: number): Buffer {
    const taken = held.subarray(0, count)
    held = held.subarray(taken.length)
    return taken
  }

  function data(): Incoming | undefined {
    if (held.length < 4) return
    const channel = held.readUInt8(1)
    skip = 4 + held.readUInt16BE(2)
    return { kind: 'data', channel }
  }

  function request(): Incoming | undefined {
    const headBytes = headLength(held)
    if (headBytes > limits.headBytes) return { kind: 'fault', status: 413 }
    if (headBytes === 0) {
      return held.length > limits.headBytes ? { kind: 'fault', status: 413 } : undefined
    }
    const head = parseHead(held.toString('latin1', 0, headBytes), limits)
    if (typeof head === 'number') return { kind: 'fault', status: head }
    if (held.length < headBytes + head.bodyBytes) return
    take(headBytes)
    return { kind: 'request', request: { ...head, body: take(head.bodyBytes) } }
  }

  function next(): Incoming | undefined {
    skip -= take(skip).length
    while (held[0] === RETURN || held[0] === NEWLINE) take(1)
    if (held.length === 0 || broken) return
    return held[0] === DOLLAR ? data() : request()
  }

  return function* read(chunk) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (let found = next(); found; found = next()) {
      broken = found.kind === 'fault'
      yield found
    }
  }
}

/** Up to and with the empty line; 0 while there is none. A line may end in LF alone (section 4). */
function headLength(bytes: Buffer): number {
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] === NEWLINE) return at + 2
    if (bytes[at + 1] === RETURN && bytes[at + 2] === NEWLINE) return at + 3
  }
  return 0
}

function parseHead(text: string, limits: ReadLimits): Head | Status {
  const [first = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '')
  const [, method, url, version] = requestLine.exec(first) ?? []
  if (!method || !url) return 400
  if (version !== '1') return 505
  if (lines.length > limits.headers) return 413
  const headers = parseHeaders(lines)
  const cseq = headers?.get('cseq') ?? ''
  const length = headers?.get('content-length') ?? '0'
  if (!headers || !/^\d{1,10}$/.test(cseq) || !/^\d{1,10}$/.test(length)) return 400
  const bodyBytes = Number(length)
  return bodyBytes > limits.bodyBytes ? 413 : { method, url, headers, cseq, bodyBytes }
}

function parseHeaders(lines: readonly string[]): Map<string, string> | undefined {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) return
    const key = name.toLowerCase()
    const before = headers.get(key)
    headers.set(key, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}
