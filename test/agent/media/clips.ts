import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Frame } from '../../../agent/core/stages.ts'
import type { MediaEngine, VideoInput, VideoOptions } from '../../../agent/media/engine.ts'
import { needs } from '../../interop/needs.ts'

/** Whether clips can be made here. */
export const hasFfmpeg = needs('ffmpeg', 'ffmpeg')

/** One of the media files that the repository ships. */
export function shipped(name: string): string {
  return resolve('examples/media', name)
}

/** A path in a folder that is removed after the test. */
export function temporaryPath(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'heliograph-media-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Runs the ffmpeg program on `args`, which write to `name` in a temporary folder; gives its path. */
export function clip(name: string, ...args: readonly string[]): string {
  const path = temporaryPath(name)
  execFileSync('ffmpeg', ['-v', 'error', ...args, path])
  return path
}

/** Pixels of every frame of `path` as the ffmpeg program decodes and displays them. */
export function decodedByFfmpeg(path: string, pixelFormat: string, filters = 'null'): Buffer {
  return execFileSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-i',
      path,
      '-vf',
      filters,
      '-pix_fmt',
      pixelFormat,
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      '-',
    ],
    { maxBuffer: 1 << 28 },
  )
}

/** How many frames ffprobe decodes from `path`. */
export function framesByFfprobe(path: string): number {
  const count = execFileSync('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-count_frames'],
    ...['-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', path],
  ])
  return Number.parseInt(count.toString(), 10)
}

/** When ffprobe says that each frame of `path` is shown, seconds. */
export function timesByFfprobe(path: string): number[] {
  const lines = execFileSync('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0'],
    ...['-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0', path],
  ])
  return lines.toString().split('\n').map(Number.parseFloat).filter(Number.isFinite)
}

/** Options under which everything is decoded. */
export function videoOptions(options: Partial<VideoOptions> = {}): VideoOptions {
  return {
    signal: new AbortController().signal,
    threads: 1,
    maxPixels: 50_000_000,
    decode: 'all',
    ...options,
  }
}

/** Reads a video to its end by `engine`; `look` sees each frame, which is released after it. */
export async function readVideo(
  engine: MediaEngine,
  input: VideoInput | string,
  options: Partial<VideoOptions> = {},
  look: (frame: Frame, index: number) => Promise<void> = async () => undefined,
): Promise<{ times: number[]; info: object }> {
  const source = typeof input === 'string' ? ({ kind: 'file', path: input } as const) : input
  const reader = await engine.open(source, videoOptions(options))
  const times: number[] = []
  for (let next = await reader.next(); next; next = await reader.next()) {
    await look(next.frame, times.length)
    next.frame.release()
    times.push(next.pts)
  }
  const { info } = reader
  await reader.close()
  return { times, info }
}
