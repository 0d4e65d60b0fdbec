import { createHash } from 'node:crypto'
import type { ServiceControl } from '../control/service-control.ts'
import type { Desired } from '../control/service-state.ts'
import { Refusal } from './problems.ts'

/** The part of a service's configuration that a resource shows. */
export type ConfigPart = 'input' | 'output' | 'model' | 'compute' | 'service'

const partsOf: Readonly<Record<ConfigPart, (desired: Desired) => unknown>> = {
  input: ({ inputs }) => inputs,
  output: ({ outputs }) => outputs,
  model: ({ model }) => model,
  compute: ({ compute }) => compute,
  service: (desired) => desired,
}

/** Names what is wanted, not how it is: it changes with the configuration only (RFC 9110, 8.8.3). */
export function etagOf(part: ConfigPart, { state }: Pick<ServiceControl, 'state'>): string {
  const text = JSON.stringify(partsOf[part](state.desired))
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 16)}"`
}

/** What a request demands of the resource that it changes. */
export interface Preconditions {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/**
 * Refuses where `If-Match` names another configuration than there is, or `If-None-Match: *` meets one
 * (RFC 9110, 13.1). @throws Refusal 412
 */
export function checkPreconditions(
  headers: Preconditions,
  part: ConfigPart,
  service: ServiceControl | undefined,
): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  const tag = service && etagOf(part, service)
  if (match !== undefined && !(tag && (match.trim() === '*' || tagsOf(match).includes(tag)))) {
    const now = tag ? `it is ${tag} now` : 'it is not there'
    throw new Refusal(412, `If-Match asks for ${match.slice(0, 100)}, but ${now}`)
  }
  if (noneMatch?.trim() === '*' && tag) {
    throw new Refusal(412, 'If-None-Match: * asks that nothing be there, but there is')
  }
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}
