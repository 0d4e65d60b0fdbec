import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AgentError } from '../core/errors.ts'
import type { Delivered } from '../core/stages.ts'
import { drawItems } from '../imaging/draw.ts'
import { encodeJpeg } from '../media/stills.ts'
import { copyOf } from '../media/yuv.ts'
import { drawnName } from './drawn-name.ts'

/** Writes pictures with what was found drawn on them. */
export interface Drawing {
  /** @throws AgentError CONFIG_INVALID for a second picture of the same name, SINK_FAILED */
  draw(delivered: Delivered, source: string): Promise<void>
}

const QUALITY = 90

/**
 * Draws into `pattern`, a JPEG's path: `{name}` is the source's name without its ending, `{seq}` counts
 * the pictures from 0.
 * @throws AgentError CONFIG_INVALID when the pattern is no JPEG's, or several sources need several names
 */
export function drawing(pattern: string, sources: number): Drawing {
  if (!/\.jpe?g$/i.test(pattern)) {
    throw new AgentError('CONFIG_INVALID', `--draw '${pattern}': must end in .jpg`)
  }
  if (sources > 1 && !/\{(name|seq)\}/.test(pattern)) {
    throw new AgentError('CONFIG_INVALID', `--draw '${pattern}': ${sources} sources ${NEED}`)
  }
  const written = new Set<string>()
  let seq = 0
  return {
    async draw({ result, frame }, source) {
      const file = drawnName(pattern, source, seq)
      seq += 1
      if (written.has(file)) {
        throw new AgentError(
          'CONFIG_INVALID',
          `--draw would write '${file}' twice: several pictures ${NEED}`,
        )
      }
      written.add(file)
      const picture = await copyOf(frame)
      drawItems(picture, result.items, result.kind)
      await save(file, await encodeJpeg(picture, QUALITY))
    },
  }
}

const NEED = 'need {name} or {seq} in the file name, as out-{name}-{seq}.jpg'

async function save(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AgentError('SINK_FAILED', `cannot write '${file}': ${why}`, { cause })
  }
}
