/** Which web pages may open a connection. Programs other than browsers send no `Origin`. */
export interface WebTrust {
  /** Host names, besides localhost, 127.0.0.1 and [::1]. */
  readonly hosts: readonly string[]
  /** Origins (`https://edge.example`), besides that of the page's own server. */
  readonly origins: readonly string[]
}

/** What a request says about where it comes from and where it believes to be. */
export interface WebRequest {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The local address that the connection was made to. */
  readonly address: string | undefined
}

const loopback = ['localhost', '127.0.0.1', '[::1]']

/**
 * Why a request must be refused, if so. A page of any site may open a WebSocket to this machine:
 * `Origin` tells which one did. A hostile DNS name that points here passes for same-origin, so
 * `Host` must be a name that is known, or the very address that was connected to.
 */
export function distrust(
  trust: WebTrust,
  { host, origin, address }: WebRequest,
): string | undefined {
  const known = [...loopback, ...trust.hosts.map(literal), literal(address ?? '')]
  const name = urlOf(`http://${host}`)?.hostname
  if (name === undefined || !known.includes(name)) {
    return `host '${host ?? ''}' is not known; list it in http.allowedHosts`
  }
  if (origin === undefined || urlOf(origin)?.host === urlOf(`http://${host}`)?.host) return
  if (trust.origins.some((listed) => sameOrigin(listed, origin))) return
  return `origin '${origin}' is not allowed; list it in http.allowedOrigins`
}

/** An address as URLs write it: IPv6 in brackets, IPv4 without its IPv6 prefix. */
function literal(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  return plain.includes(':') && !plain.startsWith('[') ? `[${plain}]` : plain
}

function sameOrigin(one: string, other: string): boolean {
  return one === other || (urlOf(one)?.origin ?? one) === urlOf(other)?.origin
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
