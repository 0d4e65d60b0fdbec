import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus, hostname, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../broker/server.ts'
import { asyncApi } from '../schemas/asyncapi.ts'
import type { AgentInfo } from '../schemas/state.ts'
import { packageFolder } from './config/folders.ts'

/** What `$info` says. */
export function infoOf(parts: {
  readonly agent: string
  readonly services: readonly string[]
  readonly broker: Broker
}): AgentInfo {
  return {
    version,
    contract: 1,
    agent: parts.agent,
    hardware: {
      host: hostname(),
      platform: process.platform,
      arch: process.arch,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
    },
    node: process.version,
    providers: [],
    services: [...parts.services].sort(),
    addresses: { ...parts.broker.addresses },
    schema: schemaHash,
  }
}

/** The version of this package. */
export const version: string = JSON.parse(
  readFileSync(join(packageFolder(), 'package.json'), 'utf8'),
).version

const schemaHash = createHash('sha256')
  .update(JSON.stringify(asyncApi(version)))
  .digest('hex')
  .slice(0, 16)
