import { readFile } from 'node:fs/promises'
import wabt from 'wabt'

/** `agent/imaging/kernel/resize-wasm.ts` as it has to be, made from `resize.wat`. */
export async function compiledKernel(): Promise<string> {
  const source = await readFile('agent/imaging/kernel/resize.wat', 'utf8')
  const module = (await wabt()).parseWat('resize.wat', source, { simd: true })
  const bytes = Buffer.from(module.toBinary({}).buffer)
  module.destroy()
  return `/** \`resize.wat\`, compiled by \`npm run kernel\`, in base64. */
export const resizeWasm =
  '${bytes.toString('base64')}'
`
}
