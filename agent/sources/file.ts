import { basename, join } from 'node:path'
import type { InputSpec } from '../../schemas/control.ts'
import type { Sample, Source, SourceEvents } from '../core/stages.ts'
import { type FileAccess, fileAccess } from './access.ts'
import type { SourceContext } from './context.ts'
import { isPattern, matchingPictures, pathOf, pictureNames } from './file-location.ts'
import { samplesBy } from './iteration.ts'
import { kindOf, pictureIn } from './opened-file.ts'
import { listedSamples, type PictureList } from './still-samples.ts'
import { videoSamples } from './video-samples.ts'

/** `file:` URLs and plain paths: a picture, a video, the pictures of a folder or of a glob pattern. */
export function fileSource(spec: InputSpec, context: SourceContext): Source {
  const path = pathOf(spec.url)
  const { roots, uploadFolder } = context.limits
  const access = context.unrestricted ? fileAccess(undefined) : fileAccess(roots, [uploadFolder])
  return {
    live: false,
    samples: samplesBy((signal, events) =>
      fileSamples({ path, access, spec, context }, signal, events),
    ),
  }
}

interface FilePlay {
  readonly path: string
  readonly access: FileAccess
  readonly spec: InputSpec
  readonly context: SourceContext
}

async function fileSamples(
  play: FilePlay,
  signal: AbortSignal,
  events: SourceEvents,
): Promise<AsyncGenerator<Sample, void, void>> {
  const { path, access, spec, context } = play
  const list = await listOf(play)
  if (list) return listedSamples({ list, spec, context }, signal, events)
  const { handle } = await access.open(path)
  const input = { kind: 'file', path, descriptor: handle.fd } as const
  const close = () => handle.close()
  return videoSamples({ input, name: path, spec, context, close }, signal, events)
}

/** The pictures that `path` stands for; nothing when it is a video. */
async function listOf(play: FilePlay): Promise<PictureList | undefined> {
  const { path, access, context } = play
  const read = (file: string) => readPicture(access, file, context.limits.maxDownloadBytes)
  if (await isPattern(path, access)) {
    const { folder, names } = await matchingPictures(path, access)
    return { place: path, names, single: false, read: (name) => read(join(folder, name)) }
  }
  if (await access.isDirectory(path)) {
    const names = pictureNames(await access.list(path), path)
    return { place: path, names, single: false, read: (name) => read(join(path, name)) }
  }
  if (await isVideo(play)) return undefined
  return { place: path, names: [basename(path)], single: true, read: () => read(path) }
}

async function isVideo({ path, access }: FilePlay): Promise<boolean> {
  const file = await access.open(path)
  try {
    return (await kindOf(file)) === 'video'
  } finally {
    await file.handle.close()
  }
}

async function readPicture(access: FileAccess, path: string, maxBytes: number): Promise<Buffer> {
  const file = await access.open(path)
  try {
    return await pictureIn(file, maxBytes, path)
  } finally {
    await file.handle.close()
  }
}
