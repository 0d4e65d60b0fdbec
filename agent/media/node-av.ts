import { AgentError } from '../core/errors.ts'
import type { MediaEngine } from './engine.ts'
import { loadNodeAv, type NodeAv } from './node-av-library.ts'
import { NodeAvReader } from './node-av-reader.ts'

const missing = () => new AgentError('BACKEND_UNAVAILABLE', 'node-av cannot encode yet')

/** FFmpeg inside this process, by the optional package node-av, which is loaded at the first `open`. */
export function nodeAvEngine(load: () => Promise<NodeAv> = loadNodeAv): MediaEngine {
  return {
    name: 'node-av',
    open: async (input, options) => await NodeAvReader.open(await load(), input, options),
    encode: () => Promise.reject(missing()),
    push: () => Promise.reject(missing()),
    codecs: () => Promise.reject(missing()),
  }
}
