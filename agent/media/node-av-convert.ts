import type { Frame as AvFrame, SoftwareScaleContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { NodeAv } from './node-av-library.ts'

/** Turns pictures of any pixel format into 8-bit 4:2:0, limited range, BT.709, of the same size. */
export interface PixelConverter {
  /** Whether `frame` is 8-bit 4:2:0 already, whatever its range. */
  isPlanar(frame: AvFrame): boolean
  /** A new picture, which the caller frees. Conversions of one converter run one after the other. */
  convert(frame: AvFrame): Promise<AvFrame>
  /** Frees what conversions share, once the last one is done. It may be used again all the same. */
  close(): void
}

/** A converter by libswscale. */
export function pixelConverter(av: NodeAv): PixelConverter {
  const { AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P } = av.constants
  let context: SoftwareScaleContext | undefined
  let tail: Promise<unknown> = Promise.resolve()

  async function convertNow(frame: AvFrame): Promise<AvFrame> {
    const plain = plainFrame(av, frame)
    try {
      context ??= bilinearContext(av)
      const code = await context.scaleFrame(plain, frame)
      if (code < 0) throw new AgentError('SOURCE_DECODE', conversionProblem(av, frame, code))
      return plain
    } catch (error) {
      plain.free()
      throw error
    }
  }

  return {
    isPlanar: ({ format }) => format === AV_PIX_FMT_YUV420P || format === AV_PIX_FMT_YUVJ420P,
    convert(frame) {
      const result = tail.then(() => convertNow(frame))
      tail = result.catch(() => undefined)
      return result
    },
    close() {
      tail = tail.then(() => {
        context?.freeContext()
        context = undefined
      })
    },
  }
}

function plainFrame(av: NodeAv, from: AvFrame): AvFrame {
  const { AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, AVCOL_SPC_BT709 } = av.constants
  const frame = new av.Frame()
  frame.alloc()
  frame.format = AV_PIX_FMT_YUV420P
  frame.width = from.width
  frame.height = from.height
  frame.colorRange = AVCOL_RANGE_MPEG
  frame.colorSpace = AVCOL_SPC_BT709
  frame.colorPrimaries = from.colorPrimaries
  frame.colorTrc = from.colorTrc
  frame.getBuffer()
  return frame
}

function bilinearContext(av: NodeAv): SoftwareScaleContext {
  const context = new av.SoftwareScaleContext()
  context.allocContext()
  context.setOption('sws_flags', 'bilinear')
  return context
}

function conversionProblem(av: NodeAv, frame: AvFrame, code: number): string {
  const { width, height, format } = frame
  return `cannot convert a ${width}×${height} picture of pixel format ${format} to YUV 4:2:0: ${new av.FFmpegError(code).message}`
}
