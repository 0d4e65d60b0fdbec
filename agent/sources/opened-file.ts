import { AgentError } from '../core/errors.ts'
import { type MediaKind, sniff, sniffBytes } from '../media/sniff.ts'
import type { AllowedFile } from './access.ts'

/** What an open file holds, by its first bytes. */
export async function kindOf({ handle }: AllowedFile): Promise<MediaKind> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0)
  return sniff(buffer.subarray(0, bytesRead))
}

/**
 * The whole of an open file that is a picture.
 * @param name for messages @throws AgentError LIMIT_EXCEEDED
 */
export async function pictureIn(
  { handle, size }: AllowedFile,
  maxBytes: number,
  name: string,
): Promise<Buffer> {
  if (size > maxBytes) {
    throw new AgentError(
      'LIMIT_EXCEEDED',
      `${name} has ${size} bytes; a picture may have ${maxBytes} (limits.maxDownloadBytes)`,
    )
  }
  // By position and not to the end: it may be read again, and may grow meanwhile.
  const bytes = Buffer.alloc(size)
  let read = 0
  while (read < size) {
    const { bytesRead } = await handle.read(bytes, read, size - read, read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return bytes.subarray(0, read)
}
