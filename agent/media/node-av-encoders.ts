import type { AVPixelFormat } from 'node-av/constants'
import type { NodeAv } from './node-av-library.ts'

/** An H.264 encoder of FFmpeg, and how it is made to answer each picture with its packet. */
export interface EncoderKind {
  readonly name: EncoderName
  /** What it takes: planar or half-planar pictures, or those in a device's memory. */
  readonly takes: 'yuv420p' | 'nv12' | 'vaapi'
  /** Its private options. */
  readonly options: Readonly<Record<string, string | number>>
}

/** FFmpeg's names of the encoders. */
export type EncoderName =
  | 'h264_nvenc'
  | 'h264_qsv'
  | 'h264_vaapi'
  | 'h264_v4l2m2m'
  | typeof softwareEncoder

/** The one that needs no hardware. */
export const softwareEncoder = 'libx264'

/**
 * libx264: `ultrafast` takes 60 % of the time of `superfast`, which saves a quarter of the bits at the
 * same quality: processors are scarcer at the edge than bits in its network. It also makes it
 * Constrained Baseline, which everything decodes. The others: nothing is looked ahead or held back.
 */
const kinds: readonly EncoderKind[] = [
  {
    name: 'h264_nvenc',
    takes: 'yuv420p',
    options: {
      preset: 'p2',
      tune: 'ull',
      rc: 'vbr',
      zerolatency: 1,
      delay: 0,
      'forced-idr': 1,
      aud: 0,
    },
  },
  {
    name: 'h264_qsv',
    takes: 'nv12',
    options: { preset: 'veryfast', async_depth: 1, look_ahead: 0, forced_idr: 1, aud: 0 },
  },
  { name: 'h264_vaapi', takes: 'vaapi', options: { async_depth: 1, aud: 0 } },
  { name: 'h264_v4l2m2m', takes: 'yuv420p', options: { num_output_buffers: 2 } },
  {
    name: softwareEncoder,
    takes: 'yuv420p',
    options: { preset: 'ultrafast', tune: 'zerolatency', 'forced-idr': 1 },
  },
]

/** The encoder of that name. */
export function encoderKind(name: string): EncoderKind | undefined {
  return kinds.find((kind) => kind.name === name)
}

/** FFmpeg's number for what `kind` takes. */
export function pixelFormatOf(av: NodeAv, { takes }: EncoderKind): AVPixelFormat {
  const { AV_PIX_FMT_YUV420P, AV_PIX_FMT_NV12, AV_PIX_FMT_VAAPI } = av.constants
  return { yuv420p: AV_PIX_FMT_YUV420P, nv12: AV_PIX_FMT_NV12, vaapi: AV_PIX_FMT_VAAPI }[takes]
}
