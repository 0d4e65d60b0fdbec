import type { FormatContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { StreamInput } from './engine.ts'
import { formatWhitelist, isContainer, refusedPlaylist } from './formats.ts'
import type { Prefetch, VideoIo } from './node-av-io.ts'
import type { NodeAv } from './node-av-library.ts'
import { type StreamBytes, streamBytes } from './node-av-stream.ts'
import { sniff } from './sniff.ts'

/** An open container. Closing it leaves a stream open: whoever gave it may open it again. */
export interface OpenInput {
  readonly name: string
  readonly format: FormatContext
  /** As in `ContainerIo`. */
  readonly prefetch?: Prefetch | undefined
  /** What reading the bytes failed with, where FFmpeg only sees an early end. */
  failure(): Error | undefined
  close(): Promise<void>
}

/**
 * Opens the container of `input`. FFmpeg gets bytes, or an open file, only: no name from which it could read
 * a protocol, a pattern or an extension, no protocol to open anything by, and no demuxer that would.
 * @throws AgentError SOURCE_FORBIDDEN, SOURCE_UNSUPPORTED, SOURCE_DECODE, and what `read` throws
 */
export async function openInput(
  { av, io }: { readonly av: NodeAv; readonly io: VideoIo },
  input: StreamInput,
  signal: AbortSignal,
): Promise<OpenInput> {
  const bytes = streamBytes(input, signal)
  const format = new av.FormatContext()
  try {
    const head = await bytes.head()
    if (sniff(head) === 'playlist') throw refusedPlaylist(input.name)
    format.allocContext()
    const { context, prefetch } = await io.open(bytes.handler)
    format.pb = context
    format.setFlags(av.constants.AVFMT_FLAG_CUSTOM_IO)
    const failure = () => bytes.failure() ?? readProblem(av, input.name, context.error)
    await openFormat(av, format, input.name, { head: bytes.head, failure })
    return {
      name: input.name,
      format,
      prefetch,
      failure,
      close: () => format.closeInput(),
    }
  } catch (error) {
    await format.closeInput()
    throw error
  }
}

async function openFormat(
  av: NodeAv,
  format: FormatContext,
  name: string,
  bytes: Pick<StreamBytes, 'head' | 'failure'>,
): Promise<void> {
  const options = av.Dictionary.fromObject({
    protocol_whitelist: 'none',
    format_whitelist: formatWhitelist,
  })
  try {
    const code = await format.openInput('', null, options)
    if (code >= 0) return
    throw bytes.failure() ?? openProblem(av, name, await bytes.head(), code)
  } finally {
    options.free()
  }
}

/** What FFmpeg itself, reading a file, failed with. */
function readProblem(av: NodeAv, name: string, code: number): AgentError | undefined {
  if (code >= 0 || code === av.constants.AVERROR_EOF) return undefined
  const why = new av.FFmpegError(code).message
  return new AgentError('SOURCE_UNREACHABLE', `cannot read on in ${name}: ${why}`)
}

/** Why FFmpeg did not open it: a format that is not on the whitelist, or damage. */
function openProblem(av: NodeAv, name: string, head: Buffer, code: number): AgentError {
  const format = av.InputFormat.probe(head)?.name
  if (format && ['hls', 'concat', 'dash', 'sdp', 'image2'].some((kind) => format.includes(kind))) {
    return refusedPlaylist(name)
  }
  if (format && !isContainer(format)) {
    return new AgentError(
      'SOURCE_UNSUPPORTED',
      `${name} has the format '${format}', which is not read (allowed: ${formatWhitelist.replaceAll(',', ' ')})`,
    )
  }
  return new AgentError(
    'SOURCE_DECODE',
    `cannot read ${name} as video: ${new av.FFmpegError(code).message}`,
  )
}
