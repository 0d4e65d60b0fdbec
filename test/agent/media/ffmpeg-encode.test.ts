import { describe } from 'vitest'
import { ffmpegEngine } from '../../../agent/media/ffmpeg.ts'
import { conformsToCodecs, conformsToEncoding } from '../../conformance/media-engine.ts'
import { conformsToPush } from '../../conformance/push.ts'
import { hasFfmpeg, shipped } from './clips.ts'

const engine = ffmpegEngine()

describe.skipIf(!hasFfmpeg)('ffmpeg', () => {
  conformsToEncoding('ffmpeg', () => engine)
  conformsToCodecs('ffmpeg', () => engine, shipped('dog.mp4'))
  conformsToPush('ffmpeg', () => engine)
})
