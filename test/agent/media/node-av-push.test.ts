import { describe } from 'vitest'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { conformsToPush } from '../../conformance/push.ts'
import { hasFfmpeg } from './clips.ts'

describe.skipIf(!hasFfmpeg)('node-av', () => {
  conformsToPush('node-av', () => nodeAvEngine())
})
