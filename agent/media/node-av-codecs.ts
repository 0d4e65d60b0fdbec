import { decoderWorks, encoderWorks } from './codec-trial.ts'
import { provenCodecs, softwareDecoder } from './codecs.ts'
import type { Codecs } from './engine.ts'
import { softwareEncoder } from './node-av-encoders.ts'
import type { NodeAv } from './node-av-library.ts'
import { nodeAvTrials } from './node-av-trials.ts'
import { trialInProcess } from './trial.ts'

/**
 * What works by node-av. Software is tried here, hardware in processes of their own.
 * @param entry the compiled `node-av-trial.js`
 */
export function nodeAvCodecs(av: NodeAv, entry: URL): Promise<Codecs> {
  return provenCodecs(
    {
      encoder: (name) =>
        name === softwareEncoder
          ? encoderWorks(nodeAvTrials(av), name)
          : trialInProcess(entry, ['encoder', name]),
      decoder: (name) =>
        name === softwareDecoder
          ? decoderWorks(nodeAvTrials(av), name)
          : trialInProcess(entry, ['decoder', name]),
    },
    [softwareEncoder],
  )
}
