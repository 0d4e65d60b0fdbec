import { expect, it } from 'vitest'
import type { Frame, Yuv420 } from '../../../agent/core/stages.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { directCopy } from '../../../agent/media/node-av-copy.ts'
import { loadNodeAv } from '../../../agent/media/node-av-library.ts'
import { packedYuv } from '../../../agent/media/packed-yuv.ts'
import { blankYuv } from '../../../agent/media/yuv.ts'
import { readVideo, shipped } from './clips.ts'

const clip = shipped('dog.mp4')

it.each([
  [1280, 720],
  [640, 358],
  [2, 2],
])('copies a picture to %d×%d packed pixels as to any others', async (width, height) => {
  const packed = [packedYuv(width, height).picture, packedYuv(width, height).picture]
  let compared = 0
  await firstFrames(2, async (frame, index) => {
    const plain = blankYuv(width, height)
    // Its rows are longer than the picture is wide, so that it cannot be copied at once.
    const padded = { ...blankYuv(width + 2, height), width }
    await frame.copyTo(padded)
    await frame.copyTo(packed[index] ?? plain)
    expect(rowsOf(packed[index] ?? plain).equals(rowsOf(padded))).toBe(true)
    compared += 1
  })
  expect(compared).toBe(2)
  // The first picture is still there after the second went elsewhere.
  const [first, second] = packed.map(rowsOf)
  if (width > 2) expect(first?.equals(second ?? Buffer.of())).toBe(false)
})

it('is really done in one step', async () => {
  const av = await loadNodeAv()
  const copy = directCopy(av)
  const frame = new av.Frame()
  frame.alloc()
  frame.format = av.constants.AV_PIX_FMT_YUV420P
  frame.width = 32
  frame.height = 18
  frame.getBuffer()
  for (const plane of frame.data ?? []) plane.fill(99)
  const { picture, bytes } = packedYuv(32, 18)
  expect(copy.into(picture, frame)).toBe(true)
  expect(new Set(bytes)).toEqual(new Set([99]))
  expect(copy.into(blankYuv(32, 18), frame)).toBe(false)
  copy.close()
  frame.free()
})

async function firstFrames(
  count: number,
  look: (frame: Frame, index: number) => Promise<void>,
): Promise<void> {
  await readVideo(nodeAvEngine(), clip, { decode: 'key' }, async (frame, index) => {
    if (index < count) await look(frame, index)
  })
}

function rowsOf({ width, height, y, u, v, yStride, uvStride }: Yuv420): Buffer {
  const rows = (plane: Uint8Array, stride: number, length: number, lines: number) =>
    Array.from({ length: lines }, (_, line) =>
      Buffer.from(plane.subarray(line * stride, line * stride + length)),
    )
  return Buffer.concat([
    ...rows(y, yStride, width, height),
    ...rows(u, uvStride, width / 2, height / 2),
    ...rows(v, uvStride, width / 2, height / 2),
  ])
}
