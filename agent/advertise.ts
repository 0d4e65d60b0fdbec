import { hostname } from 'node:os'

/**
 * An address as others are told it: with the configured host, or else with this machine's name where
 * the agent listens on every address.
 */
export function advertised(address: string, host: string): string {
  const everywhere = /\/\/(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/
  if (host === '') return address.replace(everywhere, `//${hostname()}`)
  const written = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return address.replace(/\/\/(?:\[[^\]]*\]|[^:/]*)/, `//${written}`)
}
