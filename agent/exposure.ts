import type { Config } from '../schemas/config.ts'
import type { Presence } from './control/presence.ts'
import { AgentError } from './core/errors.ts'
import type { Log } from './core/log.ts'

/** Says so, in the log and as an alert, where others than this machine's users may drive the agent unasked. */
export function warnOfExposure(
  { http, users }: Pick<Config, 'users'> & { http: Pick<Config['http'], 'host' | 'tls'> },
  log: Log,
  presence: Pick<Presence, 'alert'>,
): void {
  if (isLoopback(http.host)) return
  const { host } = http
  if (users.file === '') {
    const message = `http.host is ${host} and users.file is not set: whoever reaches the port may do everything`
    log.warn({ setting: 'users.file', host }, message)
    presence.alert('open-to-all', new AgentError('CONFIG_INVALID', message), 'warning')
  } else if (http.tls.certFile === '') {
    log.warn({ setting: 'http.tls', host }, 'tokens travel in the clear; http.tls encrypts them')
  }
}

/** Whether only this machine reaches an address (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
