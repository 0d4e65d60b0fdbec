import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { compiledKernel } from './compile.ts'

it('is compiled from the source beside it (npm run kernel)', async () => {
  const committed = await readFile('agent/imaging/kernel/resize-wasm.ts', 'utf8')
  expect(committed).toBe(await compiledKernel())
})
