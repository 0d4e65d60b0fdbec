import { extname } from 'node:path'
import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sink } from '../core/stages.ts'
import { csv } from './csv.ts'
import { hlsFolder } from './hls-folder.ts'
import { mediaPath } from './media-path.ts'
import { mp4File } from './mp4-file.ts'
import { pictureFiles } from './picture-files.ts'
import { resultJson } from './result-json.ts'
import type { SinkContext } from './sink-context.ts'
import { textSink } from './text-sink.ts'
import { videoSink } from './video-sink.ts'

type OpenFileSink = (path: string, spec: OutputSpec, context: SinkContext) => Sink

/** A file's ending → what writes it. */
const kinds: Readonly<Record<string, OpenFileSink>> = {
  '.jsonl': (path, _, context) =>
    textSink(path, context, { text: (result) => `${resultJson(result)}\n` }),
  '.csv': (path, _, context) => textSink(path, context, csv),
  '.jpg': pictureFiles,
  '.mp4': (_, spec, context) => videoSink(spec, context, mp4File(spec, context)),
  '.m3u8': (_, spec, context) => videoSink(spec, context, hlsFolder(spec, context)),
}

/**
 * `file:` below the media folder, by the ending: `.jsonl` one line per result, `.csv` one row per item,
 * `.jpg` one picture per result with items, `.mp4` and `.m3u8` annotated video.
 * @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN, SINK_FAILED
 */
export function fileSink(spec: OutputSpec, context: SinkContext): Sink {
  const path = mediaPath(spec.url, context.mediaFolder)
  const open = kinds[extname(path).toLowerCase()]
  if (open) return open(path, spec, context)
  throw new AgentError(
    'SINK_UNSUPPORTED',
    `no output writes files like '${path}' (known: ${Object.keys(kinds).join(' ')})`,
  )
}
