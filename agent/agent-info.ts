import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus, hostname, totalmem } from 'node:os'
import { join } from 'node:path'
import { asyncApi } from '../schemas/asyncapi.ts'
import type { AgentInfo } from '../schemas/state.ts'
import { packageFolder } from './config/folders.ts'

/** The version of this package. */
export const version: string = JSON.parse(
  readFileSync(join(packageFolder(), 'package.json'), 'utf8'),
).version

/** What `$info` says, kept up to date. */
export interface Introduction {
  /** As it was published last. */
  readonly now: AgentInfo
  /** Publishes it with these parts changed. */
  change(news: Partial<Pick<AgentInfo, 'services' | 'providers' | 'media'>>): void
}

/** Publishes what this agent is and where it listens, now and at every change. */
export function introduce(
  agent: string,
  addresses: AgentInfo['addresses'],
  publish: (info: AgentInfo) => void,
): Introduction {
  let info: AgentInfo = {
    version,
    contract: 1,
    agent,
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
    services: [],
    addresses,
    schema: schemaHash(),
  }
  publish(info)
  return {
    get now() {
      return info
    },
    change(news) {
      info = { ...info, ...news }
      publish(info)
    },
  }
}

function schemaHash(): string {
  return createHash('sha256')
    .update(JSON.stringify(asyncApi(version)))
    .digest('hex')
    .slice(0, 16)
}
