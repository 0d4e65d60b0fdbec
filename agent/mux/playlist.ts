/** One media segment, as a playlist names it. */
export interface Segment {
  readonly uri: string
  /** URI of the init segment it needs. */
  readonly map: string
  readonly seconds: number
  /** Whether the stream begins anew here. */
  readonly discontinuity: boolean
}

/** A media playlist (RFC 8216, section 4.3.3). */
export interface Playlist {
  /** No segment is longer, rounded, s. */
  readonly target: number
  /** Number of the first segment. */
  readonly sequence: number
  /** Discontinuities that have left the playlist. */
  readonly discontinuitySequence: number
  readonly segments: readonly Segment[]
  readonly ended: boolean
}

/** A playlist of fragmented MP4: version 7 for `EXT-X-MAP` in it (RFC 8216, section 7). */
export function playlistText(playlist: Playlist): string {
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${playlist.target}`,
    `#EXT-X-MEDIA-SEQUENCE:${playlist.sequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`,
  ]
  let map: string | undefined
  for (const segment of playlist.segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY')
    if (segment.map !== map) lines.push(`#EXT-X-MAP:URI="${segment.map}"`)
    map = segment.map
    lines.push(`#EXTINF:${segment.seconds.toFixed(5)},`, segment.uri)
  }
  if (playlist.ended) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}

/** Reads what `playlistText` wrote; undefined for anything else. */
export function readPlaylist(text: string): Playlist | undefined {
  const number = (tag: string): number =>
    Number(new RegExp(`^#${tag}:(\\d+)$`, 'm').exec(text)?.[1])
  const target = number('EXT-X-TARGETDURATION')
  const sequence = number('EXT-X-MEDIA-SEQUENCE')
  const discontinuitySequence = number('EXT-X-DISCONTINUITY-SEQUENCE')
  const ended = /^#EXT-X-ENDLIST$/m.test(text)
  const playlist = { target, sequence, discontinuitySequence, segments: segmentsIn(text), ended }
  return playlistText(playlist) === text ? playlist : undefined
}

function segmentsIn(text: string): Segment[] {
  const segments: Segment[] = []
  let map = ''
  let seconds = 0
  let discontinuity = false
  for (const line of text.split('\n')) {
    map = /^#EXT-X-MAP:URI="(.*)"$/.exec(line)?.[1] ?? map
    seconds = Number(/^#EXTINF:([\d.]+),$/.exec(line)?.[1] ?? seconds)
    discontinuity ||= line === '#EXT-X-DISCONTINUITY'
    if (line === '' || line.startsWith('#')) continue
    segments.push({ uri: line, map, seconds, discontinuity })
    discontinuity = false
  }
  return segments
}

/** A playlist with one more segment at its end, and what left at its beginning so that `keep` stay. */
export function withSegment(
  playlist: Playlist,
  segment: Segment,
  keep: number,
): { readonly playlist: Playlist; readonly removed: readonly Segment[] } {
  const all = [...playlist.segments, segment]
  const removed = all.slice(0, Math.max(all.length - keep, 0))
  const discontinuities = removed.filter(({ discontinuity }) => discontinuity).length
  return {
    playlist: {
      ...playlist,
      sequence: playlist.sequence + removed.length,
      discontinuitySequence: playlist.discontinuitySequence + discontinuities,
      segments: all.slice(removed.length),
    },
    removed,
  }
}
