/** What the first bytes of a file say it is. */
export type MediaKind =
  | 'jpeg'
  | 'png'
  | 'webp'
  | 'gif'
  | 'avif'
  | 'video'
  | 'svg'
  | 'playlist'
  | 'unknown'

/** How many bytes from the start `sniff` wants to see; fewer are fine when there are no more. */
export const sniffBytes = 4096

type Test = (bytes: Uint8Array, text: string) => boolean

/** In order: the first test that holds decides. Text forms come last, since they look at words. */
const tests: readonly (readonly [MediaKind, Test])[] = [
  ['jpeg', (bytes) => hasBytes(bytes, 0, [0xff, 0xd8, 0xff])],
  ['png', (_, text) => text.startsWith('\x89PNG\r\n\x1a\n')],
  ['gif', (_, text) => /^GIF8[79]a/.test(text)],
  ['webp', (_, text) => text.startsWith('RIFF') && text.startsWith('WEBP', 8)],
  ['avif', (_, text) => text.startsWith('ftyp', 4) && /^(avif|avis)/.test(text.slice(8))],
  ['video', isVideo],
  ['playlist', (_, text) => isPlaylist(text)],
  ['svg', (_, text) => /<svg[\s>]/i.test(text)],
]

/** Recognises media by magic numbers, never by name. `bytes` is the start of the file. */
export function sniff(bytes: Uint8Array): MediaKind {
  const head = bytes.subarray(0, sniffBytes)
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  return tests.find(([, test]) => test(head, text))?.[0] ?? 'unknown'
}

/** Whether `decodeStill` reads this kind. */
export function isStill(kind: MediaKind): boolean {
  return ['jpeg', 'png', 'webp', 'gif', 'avif'].includes(kind)
}

const mp4Boxes = /^(ftyp|moov|mdat|free|skip|wide|pnot|moof|styp|sidx)/

function isVideo(bytes: Uint8Array, text: string): boolean {
  return (
    mp4Boxes.test(text.slice(4, 8)) ||
    (text.startsWith('RIFF') && text.startsWith('AVI ', 8)) ||
    hasBytes(bytes, 0, [0x1a, 0x45, 0xdf, 0xa3]) ||
    /^(FLV|OggS|DKIF|YUV4MPEG2 )/.test(text) ||
    isTransportStream(bytes) ||
    hasBytes(bytes, 0, [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11]) ||
    hasBytes(bytes, 0, [0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01]) ||
    isElementaryStream(bytes)
  )
}

/** MPEG-TS: packets of 188 bytes, each of which begins with 0x47. */
function isTransportStream(bytes: Uint8Array): boolean {
  return bytes.length >= 376 && [0, 188, 376].every((at) => (bytes[at] ?? 0x47) === 0x47)
}

/** Raw MPEG video, H.264 or H.265: a start code. */
function isElementaryStream(bytes: Uint8Array): boolean {
  return hasBytes(bytes, 0, [0, 0, 1]) || hasBytes(bytes, 0, [0, 0, 0, 1])
}

const playlistStarts =
  /^(#EXTM3U|ffconcat version|\[playlist\]|\[Reference\]|v=0\r?\n|rtsp:\/\/|SMIMSDP|IMPY|RTSPtext)/i

/** HLS, M3U, PLS, concat, SDP, DASH, Smooth Streaming, SMIL, XSPF and plain lists of files. */
function isPlaylist(text: string): boolean {
  const start = text.replace(/^\xef\xbb\xbf/, '').trimStart()
  return (
    playlistStarts.test(start) ||
    /#EXTM3U|#EXT-X-|ffconcat version/.test(text) ||
    /^file\s+['"\w./]/.test(start) ||
    (/^<(\?xml|!DOCTYPE|!--|MPD|smil|SmoothStreamingMedia|playlist|asx|manifest)/i.test(start) &&
      /<(MPD|smil|SmoothStreamingMedia|playlist|asx|manifest)[\s>]/i.test(text))
  )
}

function hasBytes(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
  return expected.every((byte, index) => bytes[at + index] === byte)
}
