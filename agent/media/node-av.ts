import { AgentError } from '../core/errors.ts'
import { chosenCodecs, softwareDecoder } from './codecs.ts'
import type { Codecs, EncodeOptions, MediaEngine, VideoEncoder } from './engine.ts'
import { likelyAccelerations } from './hardware.ts'
import { nodeAvCodecs } from './node-av-codecs.ts'
import { type DecoderChoice, inSoftware } from './node-av-decoding.ts'
import { NodeAvEncoder } from './node-av-encoder.ts'
import { encoderKind, softwareEncoder } from './node-av-encoders.ts'
import { type CoderParts, loadNodeAv, type NodeAv } from './node-av-library.ts'
import { nodeAvPush } from './node-av-push.ts'
import { NodeAvReader } from './node-av-reader.ts'
import { SpareTime } from './spare-time.ts'

/**
 * FFmpeg inside this process, by the optional package node-av, which is loaded at the first call.
 * @param trialEntry the compiled `node-av-trial.js`
 */
export function nodeAvEngine(
  load: () => Promise<NodeAv> = loadNodeAv,
  trialEntry = new URL('./node-av-trial.js', import.meta.url),
): MediaEngine {
  const spare = new SpareTime()
  let found: Promise<Codecs> | undefined
  const codecs = () => {
    found ??= load().then((av) => nodeAvCodecs(av, trialEntry))
    found.catch(() => {
      found = undefined
    })
    return found
  }

  return {
    name: 'node-av',
    async open(input, options) {
      const av = await load()
      const choice = await decoderChoice(options.decoder, codecs)
      return await NodeAvReader.open({ av, workplace: spare.workplace() }, input, options, choice)
    },
    encode: async (options) => {
      const av = await load()
      return await openEncoder({ av, workplace: spare.workplace() }, options, codecs)
    },
    push: async (url, options) => nodeAvPush(await load(), url, options),
    codecs,
  }
}

/** Where nothing but software can work, nothing is tried first. */
async function decoderChoice(
  asked: string = 'auto',
  codecs: () => Promise<Codecs>,
): Promise<DecoderChoice> {
  const strict = asked !== 'auto'
  if (asked === softwareDecoder) return { name: asked, strict }
  if (!strict && (await likelyAccelerations()).length === 0) return inSoftware
  const [name = softwareDecoder] = chosenCodecs('decoder', asked, (await codecs()).decoders)
  return { name, strict }
}

/** The first encoder that opens: hardware may have a limit on sizes, or on how many there are at once. */
async function openEncoder(
  parts: CoderParts,
  options: EncodeOptions,
  codecs: () => Promise<Codecs>,
): Promise<VideoEncoder> {
  const asked = options.encoder
  const named = asked === softwareEncoder
  const names = named ? [asked] : chosenCodecs('encoder', asked, (await codecs()).encoders)
  let problem: unknown
  for (const name of names) {
    const kind = encoderKind(name)
    if (!kind) continue
    try {
      return await NodeAvEncoder.open(parts, kind, options)
    } catch (error) {
      problem ??= error
    }
  }
  throw AgentError.from(problem ?? new Error(`no encoder of ${names.join(' ')}`))
}
