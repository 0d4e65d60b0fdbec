import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentError } from '../core/errors.ts'
import type { StreamInput, VideoInput } from '../media/engine.ts'
import { tooLarge } from '../net/http-body.ts'
import { type HttpResponse, httpGet } from '../net/http-client.ts'
import type { HttpSession } from '../net/http-request.ts'
import { shownUrl } from '../net/shown-url.ts'

/** Gaps up to this are read over, where asking anew would take longer; bytes. */
const readOverBytes = 256 * 1024
/** How much of a file is looked at to tell whether its index comes first. */
const layoutBytes = 16 * 1024

/** A video input with what is to be given back after it. */
export interface RemoteVideo {
  readonly input: VideoInput
  release(): Promise<void>
}

/**
 * The video that `first` begins to answer with: read in ranges where the server has them, else
 * straight through; an MP4 whose index comes last is put into a temporary file then, since it cannot
 * be read straight through.
 * @throws AgentError LIMIT_EXCEEDED, SOURCE_UNREACHABLE
 */
export async function remoteVideo(
  first: HttpResponse,
  session: HttpSession,
  maxBytes: number,
): Promise<RemoteVideo> {
  const size = totalSize(first)
  const seekable = first.status === 206 && size !== undefined
  if (!seekable && !indexComesFirst(await first.body.peek(layoutBytes))) {
    return await spooled(first, maxBytes)
  }
  return {
    input: remoteStream(first, session, seekable ? size : undefined),
    release: async () => undefined,
  }
}

/** `total` is known where the server gives ranges. */
function remoteStream(
  first: HttpResponse,
  session: HttpSession,
  total: number | undefined,
): StreamInput {
  let current = first
  let start = 0
  const position = () => start + current.body.position

  async function reopen(at: number): Promise<void> {
    current.body.close()
    current = await httpGet(first.url, rangeFrom(at), session)
    start = current.status === 206 ? at : 0
    if (start !== at || (total !== undefined && totalSize(current) !== total)) {
      throw changed(first.url)
    }
  }

  async function moveTo(at: number): Promise<void> {
    const gap = at - position()
    if (gap < 0 || gap > readOverBytes) await reopen(at)
    while (position() < at) {
      const passed = await current.body.read(at - position())
      if (passed.length === 0) return
    }
  }

  return {
    kind: 'stream',
    name: shownUrl(first.url),
    seekable: total !== undefined,
    ...(total === undefined ? {} : { size: total }),
    async read(at, length) {
      await moveTo(at)
      try {
        const bytes = await current.body.read(length)
        if (bytes.length > 0 || total === undefined || at >= total) return bytes
      } catch (error) {
        if (total === undefined || session.signal.aborted) throw error
      }
      // Servers close connections that are read slowly, as at real pace, and some give a part of a
      // range only: once more from here.
      await reopen(at)
      return await current.body.read(length)
    },
    close: async () => current.body.close(),
  }
}

/** Asks for everything from `at` on; servers without ranges ignore it. */
export function rangeFrom(at: number): Record<string, string> {
  return { range: `bytes=${at}-` }
}

/** Whether a response to `rangeFrom(0)` holds all there is. */
export function isWhole(response: HttpResponse): boolean {
  const total = totalSize(response)
  const end = /^bytes 0-(\d+)\//.exec(response.headers['content-range'] ?? '')?.[1]
  return response.status === 200 || (total !== undefined && Number(end) === total - 1)
}

function totalSize({ status, headers }: HttpResponse): number | undefined {
  const text =
    status === 206
      ? /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]
      : headers['content-length']
  return text === undefined ? undefined : Number(text)
}

/** Whether a file can be read straight through. `head` is its start; only MP4 can be otherwise. */
function indexComesFirst(head: Uint8Array): boolean {
  const view = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (view.toString('latin1', 4, 8) !== 'ftyp') return true
  for (let at = 0; at + 8 <= view.length; ) {
    const type = view.toString('latin1', at + 4, at + 8)
    if (type === 'moov' || type === 'moof') return true
    if (type === 'mdat') return false
    at += Math.max(view.readUInt32BE(at), 8)
  }
  return false
}

/** The file has no name by the time it is filled, so that nothing is left however this ends. */
async function spooled(first: HttpResponse, maxBytes: number): Promise<RemoteVideo> {
  const name = shownUrl(first.url)
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-'))
  const file = await open(join(folder, 'video'), 'wx+', 0o600).finally(() =>
    rm(folder, { recursive: true, force: true }),
  )
  try {
    for (let total = 0; ; ) {
      const part = await first.body.read(1 << 20)
      if (part.length === 0) break
      total += part.length
      if (total > maxBytes) throw tooLarge(name, maxBytes)
      await file.appendFile(part)
    }
    return {
      input: { kind: 'file', path: name, descriptor: file.fd },
      release: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  } finally {
    first.body.close()
  }
}

function changed(url: URL): AgentError {
  return new AgentError('SOURCE_UNREACHABLE', `${shownUrl(url)} changed while it was read`, {
    retryable: true,
  })
}
