import type { ParameterSets } from '../mux/h264.ts'
import type { Hall } from './hall.ts'
import type { RtpBurst } from './packetizer.ts'
import { ownFamily, type Peer } from './peer.ts'
import type { RtspRequest } from './request.ts'
import type { RtspResponse } from './response.ts'
import { sdp } from './sdp.ts'
import type { Session } from './session.ts'
import { setUp } from './setup.ts'
import type { OfferedStream } from './stream.ts'
import { baseUrl, type Target, targetOf, trackControl } from './target.ts'
import { wishOf } from './transport-header.ts'

/** A request, who made it, and what it is about. */
interface Call {
  readonly hall: Hall
  readonly peer: Peer
  readonly request: RtspRequest
  /** Sends the answer. */
  readonly reply: (response: RtspResponse) => void
}

/** Returns the answer, unless it was sent already. */
type Method = (call: Call) => RtspResponse | Promise<RtspResponse | undefined>

const methods: Readonly<Record<string, Method>> = {
  OPTIONS: () => ({ status: 200, headers: [['Public', allowed]] }),
  DESCRIBE: describe,
  SETUP: setup,
  PLAY: play,
  PAUSE: pause,
  TEARDOWN: teardown,
  GET_PARAMETER: getParameter,
}
const allowed = Object.keys(methods).join(', ')
/** Known, and not for a server that only sends (RFC 2326, section 10). */
const refused = ['ANNOUNCE', 'RECORD', 'REDIRECT', 'SET_PARAMETER']
const noSession: RtspResponse = { status: 454 }
const wrongState: RtspResponse = { status: 455, headers: [['Allow', allowed]] }

/** Carries out one request. Those of one connection are to be carried out one after another. */
export async function carryOut(call: Call): Promise<void> {
  const { method, headers } = call.request
  const unknown = headers.get('require') ?? headers.get('proxy-require')
  if (unknown !== undefined) {
    return call.reply({ status: 551, headers: [['Unsupported', printable(unknown)]] })
  }
  if (refused.includes(method)) return call.reply({ status: 405, headers: [['Allow', allowed]] })
  const handle = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (!handle) return call.reply({ status: 501, headers: [['Public', allowed]] })
  sessionOf(call)?.alive()
  const response = await handle(call)
  if (response) call.reply(response)
}

async function describe(call: Call): Promise<RtspResponse> {
  const { request, peer } = call
  const accepted = request.headers.get('accept') ?? 'application/sdp'
  if (!/application\/sdp|\*\/\*|application\/\*/i.test(accepted)) return { status: 406 }
  const target = targetOf(request.url)
  const found = target && (await describedStream(call.hall, target.path))
  if (!found) return { status: 404 }
  const { stream, sets } = found
  if (!sets) return { status: 503, headers: [['Retry-After', '5']] }
  const { path, format } = stream
  const address = ownFamily(peer.socket.localAddress).replace(/%.*$/, '')
  return {
    status: 200,
    headers: [
      ['Content-Base', baseUrl(target)],
      ['Content-Type', 'application/sdp'],
      ['Cache-Control', 'no-cache'],
    ],
    body: sdp({ path, format, sets, address, id: String(stream.ssrc) }),
  }
}

async function setup(call: Call): Promise<RtspResponse> {
  const { hall, peer, request } = call
  const found = streamOf(call)
  if (!found) return { status: 404 }
  if (request.headers.has('session')) return sessionOf(call) ? wrongState : noSession
  const wish = wishOf(request.headers.get('transport') ?? '')
  if (!wish) return { status: 461 }
  if (hall.sessions.size >= hall.clients) {
    hall.tally.count('refusedViewers', `${peer.address}: ${hall.clients} are there already`)
    return { status: 453 }
  }
  const made = await setUp(hall, peer, found.stream, wish)
  if (!made) return { status: 461 }
  found.stream.expect()
  const timeout = Math.round(hall.limits.sessionMs / 1000)
  return {
    status: 200,
    headers: [
      ['Session', `${made.session.id};timeout=${timeout}`],
      ['Transport', made.transport],
    ],
  }
}

/** Answers just before the first packet is sent, so that the answer can name it. */
async function play(call: Call): Promise<RtspResponse | undefined> {
  const session = sessionOf(call)
  if (!session) return noSession
  const { hall, peer, reply } = call
  const { path } = session.stream
  await new Promise<void>((resolve) => {
    session.play((first) => {
      const headers = [...named(session), range, ...info(call, first)]
      reply(session.state === 'playing' ? { status: 200, headers } : noSession)
      resolve()
    })
  })
  hall.log.info({ viewer: peer.address, path, by: session.carrier.kind }, 'a viewer came')
  return
}

/** Live: there is nothing to go back to (RFC 2326, section 3.6). */
const range = ['Range', 'npt=now-'] as const

/** RFC 2326, section 12.33: which packet is the first. */
function info({ request }: Call, first: RtpBurst | undefined): [string, string][] {
  const target = targetOf(request.url)
  if (!first || !target) return []
  const { sequence, timestamp } = first
  const url = `${baseUrl(target)}${trackControl}`
  return [['RTP-Info', `url=${url};seq=${sequence};rtptime=${timestamp}`]]
}

function pause(call: Call): RtspResponse {
  const session = sessionOf(call)
  if (!session) return saidGoodbye(call) ? { status: 200 } : noSession
  if (session.state !== 'playing') return wrongState
  session.pause()
  return { status: 200, headers: named(session) }
}

function teardown(call: Call): RtspResponse {
  const session = sessionOf(call)
  if (!session && !saidGoodbye(call)) return noSession
  session?.end(false)
  return { status: 200 }
}

/** Without a body it is how clients say that they are there (RFC 2326, section 10.8). */
function getParameter(call: Call): RtspResponse {
  const { request } = call
  const session = sessionOf(call)
  if (!session && request.headers.has('session')) return noSession
  if (request.body.length > 0) return { status: 451 }
  return { status: 200, headers: session ? named(session) : [] }
}

function streamOf({ hall, request }: Call): { stream: OfferedStream; target: Target } | undefined {
  const target = targetOf(request.url)
  const stream = target && hall.streams.get(target.path)
  return stream && { stream, target }
}

/** The stream of a path as it is, or as soon as it is there; without parameter sets if its pictures do not come. */
async function describedStream(
  hall: Hall,
  path: string,
): Promise<{ stream: OfferedStream; sets: ParameterSets | undefined } | undefined> {
  const until = performance.now() + hall.limits.comingMs
  for (;;) {
    const leftMs = until - performance.now()
    const stream = hall.streams.get(path) ?? (await comingStream(hall, path, leftMs))
    if (!stream) return
    const sets = await stream.describe()
    // One that ended meanwhile, since its input was changed, say, may come again.
    const isOver = hall.streams.get(path) !== stream
    if (sets || !isOver || performance.now() > until) return { stream, sets }
  }
}

/** A stream whose service is starting: it was promised, so who asks for it waits a little. */
async function comingStream(
  { isComing, arrivals }: Hall,
  path: string,
  ms: number,
): Promise<OfferedStream | undefined> {
  return isComing(path) ? await arrivals.wait(path, ms) : undefined
}

/** The session that the request names, if it is this client's. */
function sessionOf({ hall, peer, request }: Call): Session | undefined {
  const session = hall.sessions.get(sessionId(request))
  return session?.address === peer.address ? session : undefined
}

/** Players answer a goodbye by tearing down, and take a refusal of that for a failure. */
const saidGoodbye = ({ peer, request }: Call): boolean => peer.bidden.has(sessionId(request))

function sessionId({ headers }: RtspRequest): string {
  const [id = ''] = (headers.get('session') ?? '').split(';')
  return id.trim()
}

const named = ({ id }: Session): [string, string][] => [['Session', id]]

const printable = (text: string): string => text.replace(/[^ -~]/g, '?').slice(0, 256)
