import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { lineOutput } from '../../../agent/cli/line-output.ts'

it('waits for a slow reader', async () => {
  const pipe = new PassThrough({ highWaterMark: 8 })
  const out = lineOutput(pipe)
  let written = false
  const writing = out.write('longer than eight bytes').then(() => {
    written = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(written).toBe(false)
  pipe.resume()
  await writing
  expect(written).toBe(true)
})

it('waits no longer when the reader goes away', async () => {
  const deaf = new Writable({ highWaterMark: 8, write: () => undefined })
  const out = lineOutput(deaf)
  const writing = out.write('longer than eight bytes')
  deaf.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  await writing
  if (!out.closed.aborted) await once(out.closed, 'abort')
  await out.write('and nothing is written any more')
  expect(out.closed.aborted).toBe(true)
})
