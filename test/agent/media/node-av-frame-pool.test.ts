import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Frame } from '../../../agent/core/stages.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { packedYuv } from '../../../agent/media/packed-yuv.ts'
import { shipped, videoOptions } from './clips.ts'

const input = { kind: 'file', path: shipped('dog.mp4') } as const
const pictures = 24

async function hashOf(frame: Frame): Promise<string> {
  const { picture, bytes } = packedYuv(frame.width, frame.height)
  await frame.copyTo(picture)
  return createHash('sha256').update(bytes).digest('hex')
}

/** The pictures, each looked at as soon as there is one and let go of. */
async function lookedAtOneByOne(): Promise<string[]> {
  const reader = await nodeAvEngine().open(input, videoOptions())
  const hashes: string[] = []
  while (hashes.length < pictures) {
    const { frame } = (await reader.next()) ?? {}
    if (!frame) break
    hashes.push(await hashOf(frame))
    frame.release()
  }
  await reader.close()
  return hashes
}

it('frames that are used again leave those that somebody holds alone, also once the reader is closed', async () => {
  const expected = await lookedAtOneByOne()
  expect(new Set(expected).size).toBe(pictures)

  const reader = await nodeAvEngine().open(input, videoOptions())
  const held: { frame: Frame; index: number }[] = []
  for (let index = 0; index < pictures; index++) {
    const { frame } = (await reader.next()) ?? {}
    if (!frame) break
    if (index % 3 === 0) frame.release()
    else held.push({ frame, index })
  }
  await reader.close()
  expect(held).toHaveLength((pictures * 2) / 3)
  for (const { frame, index } of held) {
    expect(await hashOf(frame)).toBe(expected[index])
    frame.release()
  }
  expect(liveFrames()).toBe(0)
})
