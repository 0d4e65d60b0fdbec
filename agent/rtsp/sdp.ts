import type { VideoFormat } from '../core/video.ts'
import { type ParameterSets, profileLevelId } from '../mux/h264.ts'
import { PAYLOAD_TYPE } from './packetizer.ts'
import { trackControl } from './target.ts'

/** What a description is made from. */
export interface Described {
  readonly path: string
  readonly format: VideoFormat
  readonly sets: ParameterSets
  /** Of this machine, as the client reached it. */
  readonly address: string
  /** Names the description; digits. */
  readonly id: string
}

/** The session description of a stream (RFC 4566; its `fmtp` line: RFC 6184, section 8.2.1). */
export function sdp({ path, format, sets, address, id }: Described): string {
  const family = address.includes(':') ? 'IP6' : 'IP4'
  const base64 = (nal: Uint8Array) => Buffer.from(nal).toString('base64')
  const parameters = [
    'packetization-mode=1',
    `profile-level-id=${profileLevelId(sets.sps)}`,
    `sprop-parameter-sets=${base64(sets.sps)},${base64(sets.pps)}`,
  ]
  return [
    'v=0',
    `o=- ${id} 1 IN ${family} ${address}`,
    `s=Heliograph ${path}`,
    `c=IN ${family} ${family === 'IP6' ? '::' : '0.0.0.0'}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/90000`,
    `a=fmtp:${PAYLOAD_TYPE} ${parameters.join(';')}`,
    `a=framerate:${format.fps}`,
    `a=framesize:${PAYLOAD_TYPE} ${format.width}-${format.height}`,
    `a=control:${trackControl}`,
    '',
  ].join('\r\n')
}
