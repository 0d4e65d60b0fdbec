import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'
import type { Sample, Source, SourceEvents, SourceInfo } from '../../../agent/core/stages.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import type { ServiceLimits } from '../../../agent/service/messages.ts'
import type { SourceContext } from '../../../agent/sources/context.ts'

/** The media that the repository ships. */
export const mediaFolder = resolve('examples/media')

/** A folder of its own for one test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heliograph-sources-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Puts one of the shipped media files at `path`. */
export function placeMedia(name: string, path: string): void {
  cpSync(join(mediaFolder, name), path)
}

/** A JPEG that takes next to no time to decode. */
export async function smallPicture(): Promise<Buffer> {
  const grey = { width: 64, height: 48, channels: 3, background: '#808080' } as const
  return await sharp({ create: grey }).jpeg().toBuffer()
}

/** A context that may read `roots` and plays as fast as it is asked to. */
export function sourceContext(
  limits: Partial<ServiceLimits> = {},
  others: Partial<SourceContext> = {},
): SourceContext {
  return {
    engine: nodeAvEngine(),
    images: { subscribe: () => () => undefined },
    defaultPace: 'fast',
    ...others,
    limits: {
      roots: [mediaFolder],
      mediaFolder,
      uploadFolder: '/nowhere',
      addresses: { deny: [], allow: [], ownPorts: [] },
      outputAddresses: { deny: [], allow: [], ownPorts: [] },
      topicPrefixes: [],
      minFreeBytes: 0,
      media: { engine: 'auto', decoder: 'auto', encoder: 'auto' },
      preview: { maxPerSecond: 2, width: 640, quality: 75 },
      samplesPerInput: 3,
      inferenceThreads: 1,
      threadsPerInference: 1,
      batching: { size: 0, waitMs: 0 },
      maxPixels: 50_000_000,
      maxDownloadBytes: 100_000_000,
      faults: false,
      ...limits,
    },
  }
}

/** What a source reported while it was read. */
export interface Witness extends SourceEvents {
  readonly infos: SourceInfo[]
  readonly errors: Error[]
  drops: number
}

/** Source events that are kept. */
export function witness(): Witness {
  const seen: Witness = {
    infos: [],
    errors: [],
    drops: 0,
    opened: (info) => {
      seen.infos.push(info)
    },
    skipped: (error) => {
      seen.errors.push(error)
    },
    dropped: () => {
      seen.drops += 1
    },
  }
  return seen
}

/** A sample whose frame is already released: what can be said about it afterwards. */
export type Seen = Omit<Sample, 'frame'> & { readonly width: number; readonly height: number }

/** Reads `source` to its end, or `limit` samples, and releases every frame. */
export async function readAll(
  source: Source,
  events: SourceEvents = witness(),
  limit = Number.POSITIVE_INFINITY,
): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const { frame, ...sample } of source.samples(new AbortController().signal, events)) {
    seen.push({ ...sample, width: frame.width, height: frame.height })
    frame.release()
    if (seen.length >= limit) break
  }
  return seen
}
