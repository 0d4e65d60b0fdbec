import { createEngine } from './registry.ts'

/**
 * Entry of a short-lived process that finds out what a media engine (its first argument, or `auto`) can do
 * here, by really doing it: main loads no native module. Prints a JSON object and ends.
 */
const engine = createEngine(process.argv[2] ?? 'auto')
const codecs = await engine.codecs()
process.stdout.write(JSON.stringify({ engine: engine.name, ...codecs }))
