import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ServiceAdd } from '../../schemas/control.ts'
import type { StoredService, StoredState } from './desired-store.ts'
import { type PartLimits, readInputs, readModel, readOutputs } from './payloads.ts'
import { type Desired, newService, type ServiceState } from './service-state.ts'
import { transition } from './transition.ts'

/** A service's section of the configuration file. */
export type ServiceSection = Omit<ServiceAdd, 'service'>

/** What a start of the agent makes of the stored state and the configuration. */
export interface Seeded {
  readonly services: Readonly<Record<string, StoredService>>
  readonly removed: Readonly<Record<string, string>>
  /** Services whose changes by command were replaced by a changed section. */
  readonly overrode: readonly string[]
}

/**
 * Which configuration wins: the stored state is the truth; a section seeds a service that is not
 * stored, and wins again when it changed since the last start.
 */
export function seedServices(
  sections: Readonly<Record<string, ServiceSection>>,
  stored: Pick<StoredState, 'services' | 'removed'>,
  defaultModel: Desired['model'],
  limits: PartLimits,
): Seeded {
  const services: Record<string, StoredService> = { ...stored.services }
  const removed: Record<string, string> = { ...stored.removed }
  const overrode: string[] = []
  for (const [id, section] of Object.entries(sections)) {
    const seed = hashOf(section)
    if (services[id]?.seed === seed || (!services[id] && removed[id] === seed)) continue
    const desired = applySection(newService(defaultModel), section, limits).desired
    const before = services[id]?.desired
    if (before && !isDeepStrictEqual(before, desired)) overrode.push(id)
    services[id] = { desired, seed }
    delete removed[id]
  }
  return { services, removed, overrode }
}

/**
 * The service with everything that a section (or a `service/add`) names. Nothing is started by it.
 * @throws AgentError MESSAGE_INVALID, SOURCE_UNSUPPORTED, SINK_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function applySection(
  service: ServiceState,
  section: ServiceSection,
  limits: PartLimits,
): ServiceState {
  const events = sectionEvents(service.desired, section, limits)
  const next = events.reduce((state, event) => transition(state, event, 0)[0], service)
  const compute = section.compute ?? (section.input === undefined ? next.desired.compute : 'start')
  return { ...next, desired: { ...next.desired, compute } }
}

/** The same as wishes, for a service that may be running; with `replace`, maps replace what is there. */
export function sectionEvents(
  desired: Desired,
  { model, output, input }: ServiceSection,
  limits: PartLimits,
  replace = false,
) {
  return [
    ...(model === undefined ? [] : [readModel(model, replace).value]),
    ...(output === undefined ? [] : [readOutputs(output, desired, limits, replace).value]),
    ...(input === undefined ? [] : [readInputs(input, desired, limits, replace).value]),
  ]
}

/** Names the content of a section, whatever the order of its keys. */
export function hashOf(section: ServiceSection): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(section)))
    .digest('hex')
    .slice(0, 16)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]))
}
