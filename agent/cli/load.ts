import { join } from 'node:path'
import type { Config } from '../../schemas/config.ts'
import { packageFolder } from '../config/folders.ts'
import { type FlagValue, parseSet } from '../config/text.ts'
import { type ConfigParts, loadConfig } from '../config.ts'
import { AgentError } from '../core/errors.ts'
import { type AgentLog, createLog, type LogLevel } from '../log.ts'
import { type ConfigFlags, shortFlags } from './config-flags.ts'

/** Where configuration is looked for, as the command line says. @throws AgentError CONFIG_INVALID */
export function configParts(flags: ConfigFlags): ConfigParts {
  const sets = (flags.set ?? []).map((text): FlagValue => {
    const flag = parseSet(text)
    if (typeof flag === 'string') throw new AgentError('CONFIG_INVALID', flag)
    return flag
  })
  const where = { env: process.env, cwd: process.cwd() }
  const file = flags.config === undefined ? {} : { file: flags.config }
  return { ...where, ...file, flags: [...shortFlags(flags), ...sets] }
}

/** The configuration that the command line asks for. @throws AgentError CONFIG_INVALID */
export async function configOf(flags: ConfigFlags): Promise<Config> {
  return loadConfig(configParts(flags))
}

/** The configuration of `run --demo`; `folder` holds its data unless `--data` says otherwise. */
export async function demoConfig(flags: ConfigFlags, folder: string): Promise<Config> {
  const parts = configParts({ data: folder, ...flags })
  return loadConfig({ file: join(packageFolder(), 'examples', 'demo.yaml'), ...parts })
}

/** A log on stderr, for people where that is a terminal. */
export function logOf(level: LogLevel): AgentLog {
  return createLog({ level, human: process.stderr.isTTY === true })
}
