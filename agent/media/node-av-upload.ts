import type {
  Frame as AvFrame,
  CodecContext,
  HardwareFramesContext,
  SoftwareScaleContext,
} from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import { openDevice } from './node-av-device.ts'
import type { EncoderKind } from './node-av-encoders.ts'
import type { NodeAv } from './node-av-library.ts'

/** Brings pictures to where and how an encoder takes them. */
export interface Upload {
  /** `picture` as the encoder takes it: itself, or another frame, valid until the next call. */
  of(picture: AvFrame): Promise<AvFrame>
  close(): void
}

/** For the encoder of `context`, which is set up but not open yet. @throws AgentError BACKEND_UNAVAILABLE */
export function uploadFor(av: NodeAv, kind: EncoderKind, context: CodecContext): Upload {
  if (kind.takes === 'yuv420p') return { of: async (picture) => picture, close: () => undefined }
  const halfPlanar = halfPlanarUpload(av)
  return kind.takes === 'nv12' ? halfPlanar : vaapiUpload(av, context, halfPlanar)
}

/** Chroma samples in pairs, as graphics hardware has them. */
function halfPlanarUpload(av: NodeAv): Upload {
  let scaler: SoftwareScaleContext | undefined
  let last: AvFrame | undefined
  return {
    async of(picture) {
      last?.free()
      last = emptyFrame(av)
      const frame = last
      frame.format = av.constants.AV_PIX_FMT_NV12
      frame.width = picture.width
      frame.height = picture.height
      frame.colorRange = picture.colorRange
      frame.colorSpace = picture.colorSpace
      frame.getBuffer()
      scaler ??= allocated(new av.SoftwareScaleContext())
      demand(av, 'convert a picture to NV12', await scaler.scaleFrame(frame, picture))
      frame.copyProps(picture)
      return frame
    },
    close() {
      last?.free()
      scaler?.freeContext()
    },
  }
}

/** Pictures in the memory of the first VA-API device. */
function vaapiUpload(av: NodeAv, context: CodecContext, halfPlanar: Upload): Upload {
  const device = openDevice(av, 'vaapi')
  const frames = new av.HardwareFramesContext()
  try {
    frames.alloc(device)
    frames.format = av.constants.AV_PIX_FMT_VAAPI
    frames.swFormat = av.constants.AV_PIX_FMT_NV12
    frames.width = context.width
    frames.height = context.height
    frames.initialPoolSize = poolSize
    demand(av, 'reserve memory of the VA-API device', frames.init())
    context.hwFramesCtx = frames
  } catch (error) {
    frames.free()
    device.free()
    throw error
  }
  return pooledUpload(av, frames, halfPlanar, () => device.free())
}

/** The encoder keeps the last picture to predict from, while the next one is written. */
const poolSize = 8

function pooledUpload(
  av: NodeAv,
  frames: HardwareFramesContext,
  halfPlanar: Upload,
  closed: () => void,
): Upload {
  let last: AvFrame | undefined
  return {
    async of(picture) {
      const plain = await halfPlanar.of(picture)
      last?.free()
      last = emptyFrame(av)
      demand(av, 'take memory of the device', frames.getBuffer(last))
      demand(av, 'copy a picture to the device', await plain.hwframeTransferData(last))
      last.copyProps(plain)
      return last
    },
    close() {
      last?.free()
      halfPlanar.close()
      frames.free()
      closed()
    },
  }
}

function emptyFrame(av: NodeAv): AvFrame {
  const frame = new av.Frame()
  frame.alloc()
  return frame
}

function allocated(scaler: SoftwareScaleContext): SoftwareScaleContext {
  scaler.allocContext()
  return scaler
}

function demand(av: NodeAv, attempt: string, code: number): void {
  if (code >= 0) return
  throw new AgentError(
    'BACKEND_UNAVAILABLE',
    `cannot ${attempt}: ${new av.FFmpegError(code).message}`,
  )
}
