import type { InputSpec } from '../../schemas/control.ts'
import type { Sample, Source, SourceEvents } from '../core/stages.ts'
import { fileAccess } from './access.ts'
import type { SourceContext } from './context.ts'
import { pathOf } from './file-location.ts'
import { samplesBy } from './iteration.ts'
import { kindOf, pictureIn } from './opened-file.ts'
import { listedSamples, type PictureList } from './still-samples.ts'
import { videoSamples } from './video-samples.ts'

/** What messages call it: where it lies is nobody's business. */
const NAME = 'the upload'

/**
 * One file below the upload folder, opened once: a picture or a video, told by its content. Whatever it points
 * at is not read.
 */
export function uploadSource(spec: InputSpec, context: SourceContext): Source {
  return {
    live: false,
    samples: samplesBy((signal, events) => uploadSamples(spec, context, signal, events)),
  }
}

async function* uploadSamples(
  spec: InputSpec,
  context: SourceContext,
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const { uploadFolder, maxDownloadBytes } = context.limits
  const file = await fileAccess([uploadFolder]).open(pathOf(spec.url))
  try {
    if ((await kindOf(file)) === 'video') {
      const input = { kind: 'file', path: NAME, descriptor: file.handle.fd } as const
      yield* videoSamples({ input, name: NAME, spec, context }, signal, events)
      return
    }
    const read = () => pictureIn(file, maxDownloadBytes, NAME)
    const list: PictureList = { place: NAME, names: [NAME], single: true, read }
    yield* listedSamples({ list, spec, context }, signal, events)
  } finally {
    await file.handle.close()
  }
}
