import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** The SHA-256 of a file, in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

/** Hashes a file. */
export type HashFile = (file: string) => Promise<string>

/** A hash function that reads a file again only when its size or time has changed. */
export function rememberedHashes(): HashFile {
  const known = new Map<string, { readonly state: string; readonly sha256: string }>()
  return async (file) => {
    const { size, mtimeMs } = await stat(file)
    const state = `${size} ${mtimeMs}`
    const before = known.get(file)
    if (before?.state === state) return before.sha256
    const sha256 = await sha256Of(file)
    known.set(file, { state, sha256 })
    return sha256
  }
}
