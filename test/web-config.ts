import type { WebConfig, WebLimits } from '../agent/net/web-server.ts'
import { settings } from '../schemas/config.ts'

const prefix = 'http.limits.'

/** The limits of the web server that are in effect where nobody sets any. */
export const usualWebLimits = Object.fromEntries(
  settings
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, schema }) => [name.slice(prefix.length), schema.default]),
) as unknown as WebLimits

/** A web server for this machine, on any free port. */
export const anyWebPort: WebConfig = {
  host: '127.0.0.1',
  port: 0,
  allowedOrigins: [],
  allowedHosts: [],
  tls: { certFile: '', keyFile: '' },
  limits: usualWebLimits,
}
