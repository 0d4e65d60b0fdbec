import type { EncodeOptions } from './engine.ts'
import { everyPicture } from './ffmpeg-decoding.ts'
import type { IvfFormat } from './ivf.ts'
import type { EncoderKind } from './node-av-encoders.ts'

/** From here on, a second thread is worth that it divides each picture into slices. */
const twoThreadPixels = 2560 * 1440

/** Peaks above the average rate, and how long they may last: enough for key pictures, s. */
const peak = { factor: 1.5, bufferS: 1 }

/** How pictures reach ffmpeg: one tick of time is one picture, so that it knows how many come a second. */
export function pictureFormat({ width, height, fps }: EncodeOptions): IvfFormat {
  return { fourcc: 'I420', width, height, tick: [1000, Math.round(fps * 1000)] }
}

/** Ahead of an IVF stream: nothing is waited for to learn more of it. */
export const ivfInputOptions = [
  ...['-f', 'ivf', '-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0'],
  ...['-protocol_whitelist', 'pipe'],
]

/** Ahead of the input of `kind`. */
export function encodeInputOptions({ takes }: EncoderKind): string[] {
  return [...(takes === 'vaapi' ? ['-init_hw_device', 'vaapi=gpu'] : []), ...ivfInputOptions]
}

const filtersFor = {
  yuv420p: [],
  nv12: ['format=nv12'],
  vaapi: ['format=nv12', 'hwupload'],
} as const
const meaning = 'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709'
const signalled = [
  ...['-color_range', 'tv', '-colorspace', 'bt709'],
  ...['-color_primaries', 'bt709', '-color_trc', 'bt709'],
]

/**
 * Ahead of the output. A raw picture cannot say that it has to be a key picture, so its time does: it is
 * one tick further off than the count of pictures and of such ticks before it says.
 */
export function encodeOutputOptions(
  kind: EncoderKind,
  options: EncodeOptions,
  version: readonly [number, number],
): string[] {
  const { width, height, fps, bitrate, keyIntervalS } = options
  const own = Object.entries(kind.options).flatMap(([name, value]) => [`-${name}`, String(value)])
  const ticks = Math.round(fps * 1000)
  return [
    ...(kind.takes === 'vaapi' ? ['-filter_hw_device', 'gpu'] : []),
    ...['-vf', [meaning, ...filtersFor[kind.takes]].join(','), '-c:v', kind.name, ...own],
    ...['-b:v', String(Math.round(bitrate)), '-maxrate', String(Math.round(bitrate * peak.factor))],
    ...['-bufsize', String(Math.round(bitrate * peak.bufferS)), '-bf', '0'],
    ...['-g', String(Math.max(1, Math.round(fps * keyIntervalS)))],
    ...['-threads', width * height >= twoThreadPixels ? '2' : '1', ...signalled],
    ...['-force_key_frames', `expr:gt(round(t*${ticks}/1000)-n,n_forced)`],
    ...[...everyPicture(version), '-enc_time_base', `1000:${ticks}`],
    ...['-bsf:v', 'dump_extra', '-flush_packets', '1', '-f', 'nut'],
  ]
}
