import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sample, Source, SourceEvents } from '../core/stages.ts'
import { refusedPlaylist } from '../media/formats.ts'
import { isStill, type MediaKind, sniff, sniffBytes } from '../media/sniff.ts'
import { type AddressPolicy, addressPolicy } from '../net/addresses.ts'
import { tooLarge } from '../net/http-body.ts'
import { type HttpResponse, httpGet } from '../net/http-client.ts'
import type { HttpSession } from '../net/http-request.ts'
import { shownUrl } from '../net/shown-url.ts'
import { forInputs } from '../net/side.ts'
import type { SourceContext } from './context.ts'
import { nameOf, picturesOfIndex } from './html-index.ts'
import { isWhole, rangeFrom, remoteVideo } from './http-video.ts'
import { samplesBy } from './iteration.ts'
import { listedSamples, type PictureList } from './still-samples.ts'
import { videoSamples } from './video-samples.ts'

const defaultTimeoutMs = 10_000

/** `http(s)://`: a picture, a video, or the pictures that a server's listing of a folder links to. */
export function httpSource(spec: InputSpec, context: SourceContext): Source {
  const url = urlOf(spec.url)
  const policy = addressPolicy(context.limits.addresses, forInputs)
  return {
    live: false,
    samples: samplesBy((signal, events) =>
      httpSamples({ url, policy, spec, context }, signal, events),
    ),
  }
}

interface HttpPlay {
  readonly url: URL
  readonly policy: AddressPolicy
  readonly spec: InputSpec
  readonly context: SourceContext
}

async function* httpSamples(
  { url, policy, spec, context }: HttpPlay,
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const session = { policy, signal, timeoutMs: spec.timeoutMs ?? defaultTimeoutMs }
  const maxBytes = context.limits.maxDownloadBytes
  const first = await httpGet(url, rangeFrom(0), session)
  try {
    const kind = await kindOf(first)
    if (kind === 'video') {
      yield* remoteVideoSamples(first, { session, spec, context }, signal, events)
      return
    }
    const list =
      kind === 'page'
        ? await listOfPage(first, session, maxBytes)
        : onePicture(first, session, maxBytes)
    yield* listedSamples({ list, spec, context }, signal, events)
  } finally {
    first.body.close()
  }
}

async function* remoteVideoSamples(
  first: HttpResponse,
  play: {
    readonly session: HttpSession
    readonly spec: InputSpec
    readonly context: SourceContext
  },
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const { session, spec, context } = play
  const { input, release } = await remoteVideo(first, session, context.limits.maxDownloadBytes)
  try {
    const name = shownUrl(first.url)
    yield* videoSamples({ input, name, spec, context }, signal, events)
  } finally {
    await release()
  }
}

/** What the first bytes are, whatever the server says; a page is what it says is HTML. */
async function kindOf({ url, headers, body }: HttpResponse): Promise<MediaKind | 'page'> {
  const type = headers['content-type'] ?? ''
  if (/^multipart\/x-mixed-replace/i.test(type)) throw unsupported(url, 'an endless MJPEG stream')
  const head = await body.peek(sniffBytes)
  const kind = sniff(head)
  if (kind === 'playlist') throw refusedPlaylist(shownUrl(url))
  if (kind === 'video' || isStill(kind)) return kind
  const text = Buffer.from(head).toString('latin1').trimStart()
  if (/^text\/html|^application\/xhtml/i.test(type) || /^<(!doctype html|html)/i.test(text)) {
    return 'page'
  }
  if (kind === 'svg') throw unsupported(url, 'an SVG drawing')
  throw new AgentError(
    'SOURCE_DECODE',
    `${shownUrl(url)} is neither a picture nor a video that is known (content type '${type}')`,
  )
}

/** A loop reads it anew each time: the picture of a camera changes. */
function onePicture(first: HttpResponse, session: HttpSession, maxBytes: number): PictureList {
  const place = shownUrl(first.url)
  let unread = isWhole(first) ? first : undefined
  return {
    place,
    names: [nameOf(first.url)],
    single: true,
    async read() {
      const response = unread ?? (await httpGet(first.url, {}, session))
      unread = undefined
      return await download(response, maxBytes)
    },
  }
}

async function listOfPage(
  page: HttpResponse,
  session: HttpSession,
  maxBytes: number,
): Promise<PictureList> {
  const whole = isWhole(page) ? page : await httpGet(page.url, {}, session)
  const html = (await download(whole, maxBytes)).toString('utf8')
  const links = picturesOfIndex(html, page.url, shownUrl(page.url))
  const byName = new Map(links.map((link) => [nameOf(link), link]))
  return {
    place: shownUrl(page.url),
    names: [...byName.keys()],
    single: false,
    read: async (name) =>
      await download(await httpGet(byName.get(name) ?? page.url, {}, session), maxBytes),
  }
}

async function download(response: HttpResponse, maxBytes: number): Promise<Buffer> {
  const { url, headers, body } = response
  try {
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(shownUrl(url), maxBytes)
    return await body.readAll(maxBytes, shownUrl(url))
  } finally {
    body.close()
  }
}

function urlOf(text: string): URL {
  if (URL.canParse(text)) return new URL(text)
  throw new AgentError(
    'SOURCE_UNSUPPORTED',
    'the http URL cannot be read; http://host/path is allowed',
  )
}

function unsupported(url: URL, found: string): AgentError {
  return new AgentError(
    'SOURCE_UNSUPPORTED',
    `${shownUrl(url)} is ${found}, which is not read; a picture, a video or a folder listing is allowed`,
  )
}
