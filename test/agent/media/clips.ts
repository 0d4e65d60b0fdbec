import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import type { VideoOptions } from '../../../agent/media/engine.ts'
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
