import { describe } from 'vitest'
import { ffmpegEngine } from '../../../agent/media/ffmpeg.ts'
import { conformsToDecoding } from '../../conformance/media-decoding.ts'
import { conformsToPixels } from '../../conformance/media-pixels.ts'
import { conformsToStreams } from '../../conformance/media-stream.ts'
import { hasFfmpeg } from './clips.ts'

const engine = ffmpegEngine()

describe.skipIf(!hasFfmpeg)('ffmpeg', () => {
  conformsToDecoding('ffmpeg', () => engine)
  conformsToStreams('ffmpeg', () => engine)
  conformsToPixels('ffmpeg', () => engine)
})
