import type { ComputeView } from '../../schemas/http.ts'
import type { Result } from '../../schemas/results.ts'
import type { Computed } from './agent-client.ts'

/** What `compute` answered: one result by itself, several as `{results}`, else how it goes. */
export function computed(value: unknown): Computed {
  if (isRecord(value) && Array.isArray(value.results)) return { results: value.results }
  if (isRecord(value) && 'kind' in value) return { results: [value as unknown as Result] }
  return { view: value as ComputeView }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
