import type { Codec, CodecContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import { softwareDecoder } from './codecs.ts'
import { openDevice } from './node-av-device.ts'
import { type Download, downloadFrom, noDownload } from './node-av-download.ts'
import { codecNamed, type NodeAv } from './node-av-library.ts'

/** How a decoder is chosen. */
export interface DecoderChoice {
  /** One of `Codecs.decoders`. */
  readonly name: string
  /** Whether it was asked for by name: nothing else will do. */
  readonly strict: boolean
}

/** A decoder that is set up, but not open yet. */
export interface Decoding {
  readonly decoder: Codec
  readonly context: CodecContext
  readonly download: Download
}

/** The choice of what every machine has. */
export const inSoftware: DecoderChoice = { name: softwareDecoder, strict: false }

/**
 * A decoder context for video that `decoder` decodes in software. QSV and V4L2 come as decoders of their
 * own, which give pictures in our memory; VA-API and CUDA accelerate FFmpeg's own decoders.
 * @throws AgentError BACKEND_UNAVAILABLE where `choice` is strict and cannot decode this kind of video
 */
export function decodingBy(av: NodeAv, decoder: Codec, choice: DecoderChoice): Decoding {
  const { name, strict } = choice
  if (name === 'vaapi' || name === 'cuda') {
    const context = contextOf(av, decoder)
    try {
      const device = openDevice(av, name)
      return { decoder, context, download: downloadFrom(av, { context, device, name }, strict) }
    } catch (error) {
      context.freeContext()
      throw error
    }
  }
  const own = name === softwareDecoder ? decoder : ownDecoder(av, decoder, choice)
  return { decoder: own, context: contextOf(av, own), download: noDownload }
}

function ownDecoder(av: NodeAv, decoder: Codec, { name, strict }: DecoderChoice): Codec {
  const own = codecNamed(av, 'decoder', `${decoder.name}_${name}`)
  if (own) return own
  if (!strict) return decoder
  throw new AgentError(
    'BACKEND_UNAVAILABLE',
    `${name} cannot decode video of the kind '${decoder.name}'; software can`,
  )
}

function contextOf(av: NodeAv, decoder: Codec): CodecContext {
  const context = new av.CodecContext()
  context.allocContext3(decoder)
  return context
}
