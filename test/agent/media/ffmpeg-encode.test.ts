import { describe } from 'vitest'
import { ffmpegEngine } from '../../../agent/media/ffmpeg.ts'
import { conformsToCodecs, conformsToEncoding } from '../../conformance/media-engine.ts'
import { conformsToPush } from '../../conformance/push.ts'
import { hasFfmpeg, shipped } from './clips.ts'

describe.skipIf(!hasFfmpeg)('ffmpeg', () => {
  conformsToEncoding('ffmpeg', () => ffmpegEngine())
  conformsToCodecs('ffmpeg', () => ffmpegEngine(), shipped('dog.mp4'))
  conformsToPush('ffmpeg', () => ffmpegEngine())
})
