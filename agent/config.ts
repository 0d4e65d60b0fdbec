import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../schemas/config.ts'
import { assemble, contradictions } from './config/assemble.ts'
import { checkGiven } from './config/check-given.ts'
import type { Environment } from './config/folders.ts'
import type { Given, Problem } from './config/given.ts'
import { environmentGiven, type FlagValue, flagsGiven } from './config/text.ts'
import { AgentError } from './core/errors.ts'

/** Where configuration is looked for. */
export interface ConfigParts {
  readonly flags: readonly FlagValue[]
  readonly env: Environment
  /** Relative paths of flags and variables count from here; those in the file from the file. */
  readonly cwd: string
  /** The file to read; without one, see `configFile`. */
  readonly file?: string
  /** The name of the default data folder, `heliograph` if not given. */
  readonly name?: string
}

/**
 * The configuration: flags over environment over file over defaults, checked, complete and frozen.
 * @throws AgentError CONFIG_INVALID, naming each wrong value with its file, line and column, its
 *   variable or its flag
 */
export async function loadConfig(parts: ConfigParts): Promise<Config> {
  const { env, cwd } = parts
  const file = configFile(parts)
  const { given, problems } = environmentGiven(env, cwd)
  const layers = [file ? [await readFile(file)] : [], given, flagsGiven(parts.flags, cwd)]
  const checked = layers.map((layer) => layer.map(checkGiven))
  refuse([...checked.flat().flatMap((layer) => layer.problems), ...problems])
  const leaves = checked.map((layer) => layer.flatMap((one) => one.leaves))
  const config = assemble(leaves, env, parts.name ?? 'heliograph')
  refuse(contradictions(config))
  return config
}

/** The file that `loadConfig` reads: as given, `HELIOGRAPH_CONFIG`, or `heliograph.yaml` where there is one. */
export function configFile({ file, env, cwd }: ConfigParts): string | undefined {
  const named = file ?? env.HELIOGRAPH_CONFIG
  if (named) return resolve(cwd, named)
  const usual = join(cwd, 'heliograph.yaml')
  return existsSync(usual) ? usual : undefined
}

async function readFile(file: string): Promise<Given> {
  // The parser costs 8 MB, which an agent without a file need not carry.
  const { yamlFile } = await import('./config/yaml-file.ts')
  return yamlFile(file)
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return
  if (problems.length === 1) throw new AgentError('CONFIG_INVALID', String(problems[0]))
  const list = problems.map((problem) => `\n  ${problem}`).join('')
  throw new AgentError('CONFIG_INVALID', `${problems.length} settings are wrong:${list}`)
}
