import { describeConfig } from '../config/describe.ts'
import { configFile } from '../config.ts'
import type { ConfigFlags } from './config-flags.ts'
import { configOf, configParts } from './load.ts'

/** Checks the configuration; with `print`, prints what is in effect as a commented YAML file. */
export async function showConfig(flags: ConfigFlags & { readonly print?: boolean }): Promise<void> {
  const config = await configOf(flags)
  const file = configFile(configParts(flags))
  const from = file ? `from ${file}, the environment and flags` : 'from the environment and flags'
  if (flags.print) process.stdout.write(`# In effect, ${from}.\n${describeConfig(config)}`)
  else process.stdout.write(`The configuration is right: ${from}.\n`)
}
