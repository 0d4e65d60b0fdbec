import { decoderWorks, encoderWorks } from './codec-trial.ts'
import { loadNodeAv } from './node-av-library.ts'
import { nodeAvTrials } from './node-av-trials.ts'

/**
 * Entry of a short-lived process that tries one codec by node-av: `encoder` or `decoder`, and its name.
 * Prints `true` or `false`.
 */
const [, , way, name = ''] = process.argv
const engine = nodeAvTrials(await loadNodeAv())
const works =
  way === 'encoder' ? await encoderWorks(engine, name) : await decoderWorks(engine, name)
process.stdout.write(String(works))
