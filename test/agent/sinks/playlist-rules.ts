import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'

/** A segment of a playlist. */
export interface Listed {
  readonly uri: string
  readonly seconds: number
  readonly discontinuity: boolean
  readonly map: string
}

interface PlaylistSeen {
  readonly target: number
  readonly sequence: number
  readonly discontinuitySequence: number
  readonly ended: boolean
  readonly segments: readonly Listed[]
}

const known =
  /^#(?:EXTM3U|EXT-X-(?:VERSION|TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE|MAP|DISCONTINUITY|ENDLIST)|EXTINF)(?::|$)/

/** Reads a media playlist as RFC 8216 wants it, by a reader of its own, and holds it to the rules for one playlist. */
export async function checkedPlaylist(path: string): Promise<PlaylistSeen> {
  const playlist = parse(await readFile(path, 'utf8'))
  for (const { uri, seconds, map } of playlist.segments) {
    expect(Math.round(seconds), uri).toBeLessThanOrEqual(playlist.target)
    expect(seconds, uri).toBeGreaterThan(0)
    expect((await stat(join(dirname(path), uri))).size, uri).toBeGreaterThan(100)
    expect((await stat(join(dirname(path), map))).size, map).toBeGreaterThan(100)
  }
  return playlist
}

function parse(text: string): PlaylistSeen {
  const lines = text.split('\n')
  expect(lines[0]).toBe('#EXTM3U')
  expect(lines.at(-1)).toBe('')
  const tags = lines.filter((line) => line.startsWith('#'))
  expect(tags.filter((line) => !known.test(line))).toEqual([])
  const value = (tag: string): number => {
    const found = tags.filter((line) => line.startsWith(`#${tag}:`))
    expect(found, tag).toHaveLength(1)
    return Number(found[0]?.split(':')[1])
  }
  expect(value('EXT-X-VERSION')).toBe(7)
  const segments: Listed[] = []
  let [map, seconds, discontinuity] = ['', Number.NaN, false]
  for (const line of lines.slice(0, -1)) {
    map = /^#EXT-X-MAP:URI="([^"]+)"$/.exec(line)?.[1] ?? map
    seconds = Number(/^#EXTINF:([^,]+),$/.exec(line)?.[1] ?? seconds)
    discontinuity = discontinuity || line === '#EXT-X-DISCONTINUITY'
    if (line.startsWith('#')) continue
    expect(seconds, line).not.toBeNaN()
    segments.push({ uri: line, seconds, discontinuity, map })
    ;[seconds, discontinuity] = [Number.NaN, false]
  }
  return {
    target: value('EXT-X-TARGETDURATION'),
    sequence: value('EXT-X-MEDIA-SEQUENCE'),
    discontinuitySequence: value('EXT-X-DISCONTINUITY-SEQUENCE'),
    ended: lines.includes('#EXT-X-ENDLIST'),
    segments,
  }
}

/**
 * Looks at a playlist again and again, as a player does, and holds each look to what the one before said:
 * segments only come at the end and go at the beginning, with their numbers (RFC 8216, section 6.2.1).
 */
export function followPlaylist(path: string) {
  let before: PlaylistSeen | undefined
  let looks = 0
  let versions = 0
  return {
    seen: () => ({ looks, versions }),
    async look(): Promise<void> {
      const isThere = await stat(path).then(
        () => true,
        () => false,
      )
      if (!isThere) return expect(before).toBeUndefined()
      const now = await checkedPlaylist(path)
      looks += 1
      if (JSON.stringify(now) !== JSON.stringify(before)) versions += 1
      if (before) compare(before, now)
      before = now
    },
  }
}

function compare(before: PlaylistSeen, now: PlaylistSeen): void {
  expect(now.target).toBe(before.target)
  const gone = now.sequence - before.sequence
  expect(gone).toBeGreaterThanOrEqual(0)
  const stayed = before.segments.slice(gone)
  expect(now.segments.slice(0, stayed.length)).toEqual(stayed)
  const left = before.segments.slice(0, gone).filter(({ discontinuity }) => discontinuity)
  if (gone <= before.segments.length) {
    expect(now.discontinuitySequence - before.discontinuitySequence).toBe(left.length)
  }
}
