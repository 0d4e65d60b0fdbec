import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { HttpParts } from './parts.ts'
import { Refusal } from './problems.ts'

type Limits = HttpParts['config']['limits']
type Bucket = 'readsPerSecond' | 'changesPerSecond' | 'computesPerSecond'
type Limiter = ReturnType<FastifyInstance['createRateLimit']>

const buckets: readonly Bucket[] = ['readsPerSecond', 'changesPerSecond', 'computesPerSecond']

/**
 * Bounds the requests of one client address, also those that lead nowhere: reading, changing and computing each have a
 * bucket, so that none starves another. Proxies are not asked whom they speak for: their clients share one.
 */
export function limitRates(app: FastifyInstance, limits: Limits): void {
  app.register(rateLimit, { global: false })
  const limiters = new Map<Bucket, Limiter>()
  app.addHook('onReady', async () => {
    for (const bucket of buckets) {
      limiters.set(bucket, app.createRateLimit({ max: limits[bucket], timeWindow: 1000 }))
    }
  })
  app.addHook('onRequest', async (request) => {
    const bucket = bucketOf(request)
    const taken = await limiters.get(bucket)?.(request)
    if (!taken || taken.isAllowed || !taken.isExceeded) return
    const message = `more requests than http.limits.${bucket} (${limits[bucket]}) from this address`
    const headers = { 'retry-after': String(Math.max(1, taken.ttlInSeconds)) }
    throw new Refusal(429, message, headers)
  })
}

function bucketOf({ method, url }: FastifyRequest): Bucket {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return 'readsPerSecond'
  return /\/compute\/?(?:\?|$)/.test(url) ? 'computesPerSecond' : 'changesPerSecond'
}
