/** Which web pages may open a connection. Programs other than browsers send no `Origin`. */
export interface WebTrust {
  /** Host names, besides localhost, 127.0.0.1 and [::1]. */
  readonly hosts: readonly string[]
  /** Origins (`https://edge.example`), besides that of the page's own server. */
  readonly origins: readonly string[]
  /** Whether the server speaks TLS: then no page of plain HTTP is its own. */
  readonly secure?: boolean
}

/** What a request says about where it comes from and where it believes to be. */
export interface WebRequest {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The local address that the connection was made to. */
  readonly address: string | undefined
}

const loopback = ['localhost', '127.0.0.1', '[::1]']
/** A name or an address, and a port (RFC 9110, 7.2); URLs would take more. */
const hostShape = /^(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i

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
  const name = hostShape.test(host ?? '') ? urlOf(`http://${host}`)?.hostname : undefined
  if (name === undefined || !known.includes(name)) {
    return `host '${(host ?? '').slice(0, 100)}' is not known; list it in http.allowedHosts`
  }
  if (origin === undefined || isOwn(trust, origin, host)) return
  if (trust.origins.some((listed) => sameOrigin(listed, origin))) return
  return `origin '${origin.slice(0, 100)}' is not allowed; list it in http.allowedOrigins`
}

/** Behind a proxy that ends TLS, a page's own server is plain: then the scheme says nothing. */
function isOwn({ secure = false }: WebTrust, origin: string, host: string | undefined): boolean {
  const page = webUrlOf(origin)
  if (page === undefined || (secure && page.protocol !== 'https:')) return false
  return page.host === urlOf(`${page.protocol}//${host}`)?.host
}

/** An address as URLs write it: IPv6 in brackets, IPv4 without its IPv6 prefix. */
function literal(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  return plain.includes(':') && !plain.startsWith('[') ? `[${plain}]` : plain
}

/** Other schemes than the web's (those of browsers' extensions) have one origin for all, as URLs have it. */
function sameOrigin(one: string, other: string): boolean {
  return one === other || (webUrlOf(one)?.origin ?? one) === webUrlOf(other)?.origin
}

function webUrlOf(text: string): URL | undefined {
  const url = urlOf(text)
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
