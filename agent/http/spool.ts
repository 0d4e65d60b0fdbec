import { randomUUID } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { AgentError } from '../core/errors.ts'
import { Refusal } from './problems.ts'

/** An upload that lies in a file of its own. */
export interface Upload {
  /** `file:///…` */
  readonly url: string
  readonly bytes: number
  /** Deletes the file; the one who reads it may go on. */
  remove(): Promise<void>
}

/** How much uploads may take, in bytes. */
export interface SpoolLimits {
  /** One upload. */
  readonly maxUploadBytes: number
  /** All uploads that are being worked on. */
  readonly maxSpoolBytes: number
}

/** Puts bodies into files, so that an upload of any size takes no memory. */
export interface Spool {
  /**
   * Reads a body to its end; on failure nothing of it stays.
   * @throws AgentError MESSAGE_INVALID for an empty one; Refusal 413 for one that is too large, 507 where there is no more room
   */
  take(body: Readable): Promise<Upload>
}

/** @param folder where the files go: nobody else's */
export function spool(folder: string, limits: SpoolLimits): Spool {
  const { maxUploadBytes, maxSpoolBytes } = limits
  let spooled = 0

  function count(bytes: number, ofThis: number): void {
    spooled += bytes
    if (ofThis > maxUploadBytes) {
      const message = `an upload may have ${maxUploadBytes} bytes (setting http.maxUploadBytes)`
      throw new Refusal(413, message)
    }
    if (spooled > maxSpoolBytes) {
      const message = `uploads may take ${maxSpoolBytes} bytes together (setting http.maxSpoolBytes)`
      throw new Refusal(507, message)
    }
  }
  return {
    async take(body) {
      // It may break before it is read; reading it tells.
      body.on('error', () => undefined)
      const path = join(folder, randomUUID())
      const file = await open(path, 'wx', 0o600)
      let bytes = 0
      let isKept = true
      const remove = async (): Promise<void> => {
        if (!isKept) return
        isKept = false
        spooled -= bytes
        await unlink(path)
      }
      try {
        for await (const chunk of body.iterator({ destroyOnReturn: false })) {
          bytes += chunk.length
          count(chunk.length, bytes)
          await file.write(chunk)
        }
        if (bytes === 0)
          throw new AgentError('MESSAGE_INVALID', 'the body is empty: send a picture')
        return { url: pathToFileURL(path).href, bytes, remove }
      } catch (error) {
        await remove()
        throw error
      } finally {
        await file.close()
      }
    },
  }
}
