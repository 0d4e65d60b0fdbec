import { AgentError } from '../core/errors.ts'

/** FFmpeg's demuxers that hold their media themselves. */
const containers = [
  'mov',
  'matroska',
  'webm',
  'avi',
  'mpegts',
  'mpeg',
  'flv',
  'ogg',
  'asf',
  'mxf',
  'ivf',
  'h264',
  'hevc',
  'obu',
  'm4v',
  'mpegvideo',
  'mjpeg',
  'yuv4mpegpipe',
] as const

/** FFmpeg's `format_whitelist`: no other demuxer is ever tried. */
export const formatWhitelist = containers.join(',')

/** Whether FFmpeg's name of a format, which may be a list, is on the whitelist. */
export function isContainer(format: string): boolean {
  return format.split(',').some((name) => containers.some((known) => known === name))
}

/** The refusal of a file that only says where the media is. `name` is for the message. */
export function refusedPlaylist(name: string): AgentError {
  return new AgentError(
    'SOURCE_FORBIDDEN',
    `${name} is a playlist: it points at other files or addresses, which the agent does not follow; name the media file itself`,
  )
}
