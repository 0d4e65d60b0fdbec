/** How a client wants its packets: on channels of its connection, or to UDP ports of its own. */
export type Wish =
  | { readonly kind: 'tcp'; readonly channel: number | undefined }
  | { readonly kind: 'udp'; readonly rtpPort: number; readonly rtcpPort: number }

/** Nothing that is sent unasked may reach a service of the peer's system. */
const leastPort = 1024

/**
 * The first offer of a Transport header that can be met (RFC 2326, section 12.39); undefined if none.
 * `destination` is not looked at: packets go to who asked, or this server could be aimed at others.
 */
export function wishOf(header: string): Wish | undefined {
  for (const offer of header.split(',')) {
    const [protocol = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase())
    if (parameters.includes('multicast')) continue
    const play = parameterOf(parameters, 'mode')?.replaceAll('"', '') ?? 'play'
    if (play !== 'play') continue
    const wish = protocol === 'rtp/avp/tcp' ? tcpWish(parameters) : udpWish(protocol, parameters)
    if (wish) return wish
  }
  return
}

function tcpWish(parameters: readonly string[]): Wish | undefined {
  const range = parameterOf(parameters, 'interleaved')
  if (range === undefined) return { kind: 'tcp', channel: undefined }
  const [first, second] = rangeOf(range)
  const fits = first !== undefined && first <= 254 && (second ?? first + 1) === first + 1
  return fits ? { kind: 'tcp', channel: first } : undefined
}

function udpWish(protocol: string, parameters: readonly string[]): Wish | undefined {
  if (protocol !== 'rtp/avp' && protocol !== 'rtp/avp/udp') return
  const [rtpPort = 0, given] = rangeOf(parameterOf(parameters, 'client_port') ?? '')
  const rtcpPort = given ?? rtpPort + 1
  const fits = [rtpPort, rtcpPort].every((port) => port >= leastPort && port <= 65_535)
  return fits && rtpPort !== rtcpPort ? { kind: 'udp', rtpPort, rtcpPort } : undefined
}

function parameterOf(parameters: readonly string[], name: string): string | undefined {
  return parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1)
}

function rangeOf(text: string): [first?: number, second?: number] {
  const [, first, second] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  if (first === undefined) return []
  return second === undefined ? [Number(first)] : [Number(first), Number(second)]
}
