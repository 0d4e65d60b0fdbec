import { AgentError } from '../core/errors.ts'
import { type AddressPolicy, addressPolicy } from '../net/addresses.ts'
import { checkedAddress } from '../net/checked-address.ts'
import { forOutputs } from '../net/side.ts'
import type { SinkContext } from './sink-context.ts'

/** Somewhere on the network that an output sends to. */
export interface Destination {
  readonly url: URL
  readonly policy: AddressPolicy
}

/**
 * The destination that `text` names. An IP address that may not be reached is refused at once, a name when
 * it is resolved. @param example of a URL that would do
 * @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN
 */
export function destination(text: string, context: SinkContext, example: string): Destination {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url?.hostname) {
    const scheme = text.slice(0, text.indexOf(':'))
    throw new AgentError(
      'SINK_UNSUPPORTED',
      `the ${scheme} URL cannot be read (allowed: ${example})`,
    )
  }
  const policy = addressPolicy(context.addresses, forOutputs)
  checkedAddress(url, policy)
  return { url, policy }
}

/** How long one delivery may take unless the output says otherwise, ms. */
export const DEFAULT_TIMEOUT_MS = 5000

/** How long closing waits for what is under way, ms. */
export const CLOSING_MS = 1000

/** The end of a sink that was closed before it was done. */
export function closedEarly(what: string): AgentError {
  return new AgentError('SINK_FAILED', `${what}: the output was closed first`)
}
