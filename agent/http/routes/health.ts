import type { Health } from '../../../schemas/http.ts'
import { healthOf } from '../../control/readiness.ts'
import type { Handlers } from '../calls.ts'
import type { HttpParts } from '../parts.ts'

/** Whether the agent lives, and whether its services do what they are to do. */
export function healthRoutes({
  control,
}: Pick<HttpParts, 'control'>): Handlers<'GET /health/live' | 'GET /health/ready'> {
  const starting: Health = { status: 'starting', services: [] }
  return {
    'GET /health/live': async () => ({ body: { status: 'live' } }),
    async 'GET /health/ready'() {
      const health = control.begun ? healthOf(control.services) : starting
      return { status: health.status === 'starting' ? 503 : 200, body: health }
    },
  }
}
