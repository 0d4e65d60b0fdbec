import { describe, expect, it } from 'vitest'
import {
  type Playlist,
  playlistText,
  readPlaylist,
  type Segment,
  withSegment,
} from '../../../agent/mux/playlist.ts'

const empty: Playlist = {
  target: 3,
  sequence: 0,
  discontinuitySequence: 0,
  segments: [],
  ended: false,
}

function segment(number: number, more: Partial<Segment> = {}): Segment {
  return { uri: `a.${number}.m4s`, map: 'a.0.init.mp4', seconds: 2, discontinuity: false, ...more }
}

function playlistOf(segments: readonly Segment[], keep: number): Playlist {
  let playlist = empty
  for (const one of segments) ({ playlist } = withSegment(playlist, one, keep))
  return playlist
}

describe('a playlist', () => {
  it('is what RFC 8216 says', () => {
    const other = { discontinuity: true, map: 'a.1.init.mp4' }
    const playlist = playlistOf(
      [segment(0), segment(1, other), segment(2, { map: 'a.1.init.mp4' })],
      5,
    )
    expect(playlistText({ ...playlist, ended: true }).split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-TARGETDURATION:3',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
      '#EXT-X-MAP:URI="a.0.init.mp4"',
      '#EXTINF:2.00000,',
      'a.0.m4s',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-MAP:URI="a.1.init.mp4"',
      '#EXTINF:2.00000,',
      'a.1.m4s',
      '#EXTINF:2.00000,',
      'a.2.m4s',
      '#EXT-X-ENDLIST',
      '',
    ])
  })

  it('counts the segments and the discontinuities that left', () => {
    const segments = Array.from({ length: 9 }, (_, n) => segment(n, { discontinuity: n % 3 === 1 }))
    const playlist = playlistOf(segments, 3)
    expect(playlist.segments.map(({ uri }) => uri)).toEqual(['a.6.m4s', 'a.7.m4s', 'a.8.m4s'])
    expect(playlist).toMatchObject({ sequence: 6, discontinuitySequence: 2 })
    const { removed } = withSegment(playlist, segment(9), 3)
    expect(removed.map(({ uri }) => uri)).toEqual(['a.6.m4s'])
  })

  it('is read back as it was written', () => {
    const segments = Array.from({ length: 9 }, (_, n) =>
      segment(n, { discontinuity: n % 3 === 1, map: `a.${n - (n % 3)}.init.mp4`, seconds: n / 8 }),
    )
    const playlist = playlistOf(segments, 7)
    expect(readPlaylist(playlistText(playlist))).toEqual(playlist)
    expect(readPlaylist(playlistText({ ...playlist, ended: true }))?.ended).toBe(true)
  })

  it.each(['', '#EXTM3U\n', 'anything', '#EXTM3U\n#EXTINF:2,\nother.ts\n'])(
    'that somebody else wrote, %j, is not read',
    (text) => {
      expect(readPlaylist(text)).toBeUndefined()
    },
  )
})
