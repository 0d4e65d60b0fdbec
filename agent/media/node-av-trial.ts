import { loadNodeAv } from './node-av-library.ts'
import { decoderWorks, encoderWorks } from './node-av-trials.ts'

/**
 * Entry of a short-lived process that tries one codec by node-av: `encoder` or `decoder`, and its name.
 * Prints `true` or `false`.
 */
const [, , way, name = ''] = process.argv
const av = await loadNodeAv()
const works = way === 'encoder' ? await encoderWorks(av, name) : await decoderWorks(av, name)
process.stdout.write(String(works))
