import { writeFile } from 'node:fs/promises'
import { compiledKernel } from './compile.ts'

await writeFile('agent/imaging/kernel/resize-wasm.ts', await compiledKernel())
