import { describe } from 'vitest'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { conformsToCodecs, conformsToEncoding } from '../../conformance/media-engine.ts'
import { hasFfmpeg, shipped } from './clips.ts'

describe.skipIf(!hasFfmpeg)('node-av', () => {
  conformsToEncoding('node-av', () => nodeAvEngine())
  conformsToCodecs('node-av', () => nodeAvEngine(), shipped('dog.mp4'))
})
