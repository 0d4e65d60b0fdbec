import type { Frame as AvFrame, CodecContext, HardwareDeviceContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { NodeAv } from './node-av-library.ts'

/** Brings decoded pictures into our memory. */
export interface Download {
  /** `frame` itself, or what replaces it; then it is freed. */
  of(frame: AvFrame): Promise<AvFrame>
  close(): void
}

/** For pictures that are here already. */
export const noDownload: Download = { of: async (frame) => frame, close: () => undefined }

/**
 * Lets `context`, which is not open yet, decode by `device`, and takes ownership of that. Video that the
 * device cannot decode, FFmpeg decodes in software: an error where `strict`.
 */
export function downloadFrom(
  av: NodeAv,
  { context, device, name }: { context: CodecContext; device: HardwareDeviceContext; name: string },
  strict: boolean,
): Download {
  context.hwDeviceCtx = device
  return {
    async of(frame) {
      if (frame.isHwFrame()) return await downloaded(av, frame)
      if (!strict) return frame
      frame.free()
      throw new AgentError('BACKEND_UNAVAILABLE', `${name} cannot decode this video; software can`)
    },
    close: () => device.free(),
  }
}

async function downloaded(av: NodeAv, frame: AvFrame): Promise<AvFrame> {
  const plain = new av.Frame()
  plain.alloc()
  try {
    const code = await frame.hwframeTransferData(plain)
    if (code < 0) {
      const why = new av.FFmpegError(code).message
      throw new AgentError(
        'SOURCE_DECODE',
        `cannot get a picture from the decoder's memory: ${why}`,
      )
    }
    plain.copyProps(frame)
    return plain
  } catch (error) {
    plain.free()
    throw error
  } finally {
    frame.free()
  }
}
