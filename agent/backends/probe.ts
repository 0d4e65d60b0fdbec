import { loadRuntime, workingProviders } from './onnx-providers.ts'

/**
 * Entry of a short-lived process that finds out which execution providers work, by really using them:
 * main loads no native module. Prints a JSON array and ends.
 */
const providers = await workingProviders(await loadRuntime())
process.stdout.write(JSON.stringify(providers))
