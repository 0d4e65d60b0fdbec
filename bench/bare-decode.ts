import { setTimeout as passed } from 'node:timers/promises'
import { measure, report } from './bare.ts'
import { openClip } from './material.ts'

const SIZE = 300

/**
 * Decodes the clip over and over and scales each frame to the model's input; nothing else. Given a rate,
 * so many frames a second.
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

const [seconds, rate] = process.argv.slice(2).map(Number)
const paced = rate ? pacedBy(rate) : next

function pacedBy(framesPerS: number): () => Promise<void> {
  let due = performance.now()
  return async () => {
    due = Math.max(due + 1000 / framesPerS, performance.now() - 1000)
    await passed(Math.max(0, due - performance.now()))
    await next()
  }
}

const result = await measure(paced, seconds ?? 1)
await reader.close()
report(result)
