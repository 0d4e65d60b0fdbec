import type { Fault } from '../service/messages.ts'
import type { Lasting } from '../service/supervisor.ts'
import type { ServiceEvent } from './service-state.ts'
import type { ErrorContext } from './service-topics.ts'

/** What follows from two crashes that are the same one's: where it is told, and what happens to the service. */
export interface Quarantine {
  readonly context: ErrorContext
  readonly event: ServiceEvent
}

/** @param model the id of the desired model */
export function quarantine(suspect: Lasting, error: Fault, model: string): Quarantine {
  if (suspect.kind === 'model')
    return { context: {}, event: { type: 'model/failed', id: model, error } }
  const { kind, id } = suspect
  return { context: { [kind]: id }, event: { type: `${kind}/quarantined`, id, error } }
}

/** The id of the alert on a quarantine. */
export function quarantineAlert(service: string, suspect: Lasting): string {
  if (suspect.kind === 'model') return `${service}-model`
  return suspect.kind === 'input' ? `${service}-${suspect.id}` : `${service}-output-${suspect.id}`
}
