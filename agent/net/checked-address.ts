import { type LookupAddress, type LookupAllOptions, lookup as resolveName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { AgentError } from '../core/errors.ts'
import { type AddressPolicy, forbiddenAddress } from './addresses.ts'
import { shownUrl } from './shown-url.ts'

/** Where to connect: to be handed whole to `net.connect`, `tls.connect` or `http.request`. */
export interface CheckedAddress {
  readonly host: string
  readonly port: number
  /** Resolves the host to allowed addresses only: what was checked is what is connected to. */
  readonly lookup: LookupFunction
}

/** The ports of the schemes that outputs and inputs use. */
const defaultPorts: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'ws:': 80,
  'wss:': 443,
  'mqtt:': 1883,
  'mqtts:': 8883,
  'rtsp:': 554,
  'rtsps:': 322,
  'rtmp:': 1935,
  'rtmps:': 443,
}

/** The host and port of `url` under the address policy. @throws AgentError *_FORBIDDEN for a refused IP address */
export function checkedAddress(url: URL, policy: AddressPolicy): CheckedAddress {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port) || (defaultPorts[url.protocol] ?? 0)
  const refusal = isIP(host) ? policy.refusal(host, port) : undefined
  if (refusal) throw forbiddenAddress(shownUrl(url), host, refusal, policy.side)
  return { host, port, lookup: checkedLookup(url, port, policy) }
}

/**
 * One allowed IP address of `url`, for programs that connect by themselves: hand them this instead of the name.
 * @throws AgentError *_FORBIDDEN, or the error of the name server
 */
export async function resolvedAddress(url: URL, policy: AddressPolicy): Promise<string> {
  const { host, lookup } = checkedAddress(url, policy)
  if (isIP(host)) return host
  return await new Promise((resolve, reject) => {
    lookup(host, {}, (error, address) => {
      if (error) reject(error)
      else resolve(String(address))
    })
  })
}

/** Resolves a name and leaves only addresses that are allowed. */
function checkedLookup(url: URL, port: number, policy: AddressPolicy): LookupFunction {
  return (hostname, options, done) => {
    const all: LookupAllOptions = { ...options, all: true }
    resolveName(hostname, all, (error, found) => {
      if (error) {
        done(error, '')
        return
      }
      const allowed = found.filter(({ address }) => !policy.refusal(address, port))
      const [first] = allowed
      if (!first) done(refusedName(url, port, found, policy), '')
      else if (options.all) done(null, allowed)
      else done(null, first.address, first.family)
    })
  }
}

function refusedName(
  url: URL,
  port: number,
  found: readonly LookupAddress[],
  policy: AddressPolicy,
): AgentError {
  const address = found[0]?.address ?? 'no address'
  const reason = policy.refusal(address, port) ?? 'is unknown'
  return forbiddenAddress(shownUrl(url), address, reason, policy.side)
}
