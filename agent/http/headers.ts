import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/** Half a year, in seconds. */
const HSTS_S = 15_552_000

/** What answers of the API may do in a page that shows them: nothing. Routes with pages set `helmet` of their own. */
const nothing = ["'none'"]

const permissions = ['accelerometer', 'camera', 'display-capture', 'geolocation', 'gyroscope']
  .concat('microphone', 'midi', 'payment', 'usb')
  .map((feature) => `${feature}=()`)
  .join(', ')

/** Header fields that keep browsers from being used against their users, on every answer. */
export function protectBrowsers(app: FastifyInstance, secure: boolean): void {
  app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: nothing,
        baseUri: nothing,
        formAction: nothing,
        frameAncestors: nothing,
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    strictTransportSecurity: secure ? { maxAge: HSTS_S, includeSubDomains: false } : false,
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.raw.setHeader('permissions-policy', permissions)
  })
}
