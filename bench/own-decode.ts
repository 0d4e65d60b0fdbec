import { measure, pacedBy, report } from './bare.ts'
import { openClip } from './material.ts'

const SIZE = 300

/**
 * The agent's reader decodes the clip over and over and scales each frame to the model's input; nothing else.
 * Given a rate, so many frames a second.
 */
const reader = await openClip()
const target = {
  width: SIZE,
  height: SIZE,
  stride: SIZE * 3,
  data: new Uint8Array(SIZE * SIZE * 3),
}

async function next(): Promise<void> {
  let decoded = await reader.next()
  if (!decoded) {
    await reader.rewind()
    decoded = await reader.next()
  }
  if (!decoded) throw new Error('the clip is empty')
  await decoded.frame.scaleTo(target)
  decoded.frame.release()
}

const [seconds = 1, rate] = process.argv.slice(2).map(Number)
const result = await measure(pacedBy(next, rate), seconds)
await reader.close()
report(result)
