import { constants } from 'node:fs'
import { readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import {
  type Playlist,
  playlistText,
  readPlaylist,
  type Segment,
  withSegment,
} from '../mux/playlist.ts'
import { cannotWrite, openMediaFile } from './media-path.ts'

/** The files of one stream: playlist, init segments, media segments. One call at a time. */
export interface HlsFiles {
  /** Seconds that no segment may exceed, rounded. */
  readonly target: number
  /** Writes the init segment of what follows. */
  init(bytes: Uint8Array): Promise<void>
  /** Writes a segment, shows it in the playlist and deletes what nobody needs any more. */
  segment(bytes: Uint8Array, about: Pick<Segment, 'seconds' | 'discontinuity'>): Promise<void>
  /** Says in the playlist that nothing follows. */
  end(): Promise<void>
}

interface HlsOptions {
  readonly mediaFolder: string
  /** Segments in the playlist. */
  readonly keep: number
  readonly target: number
}

/** A segment that left the playlist, and how much was played since. */
interface Former extends Segment {
  age: number
}

/**
 * Opens the playlist at `path`; the folder exists. If the stream was shown there before, its segments stay and
 * numbers go on, as players want it. @throws AgentError SINK_FAILED, SINK_FORBIDDEN
 */
export async function openHlsFiles(path: string, options: HlsOptions): Promise<HlsFiles> {
  const { name: stem, dir } = parse(path)
  const before = await earlierPlaylist(path, options.target)
  await deleteOthers(dir, stem, before)
  return new Hls(path, before, options)
}

class Hls implements HlsFiles {
  readonly target: number
  readonly #path: string
  readonly #options: HlsOptions
  readonly #former: Former[] = []
  #playlist: Playlist
  #map = ''

  constructor(path: string, playlist: Playlist, options: HlsOptions) {
    this.#path = path
    this.#playlist = playlist
    this.#options = options
    this.target = options.target
  }

  async init(bytes: Uint8Array): Promise<void> {
    this.#map = `${this.#stem}.${this.#next}.init.mp4`
    await this.#write(this.#map, bytes)
  }

  async segment(
    bytes: Uint8Array,
    about: Pick<Segment, 'seconds' | 'discontinuity'>,
  ): Promise<void> {
    const isFirst = this.#playlist.segments.length === 0
    const uri = `${this.#stem}.${this.#next}.m4s`
    await this.#write(uri, bytes)
    const segment = {
      ...about,
      uri,
      map: this.#map,
      discontinuity: about.discontinuity && !isFirst,
    }
    const { playlist, removed } = withSegment(this.#playlist, segment, this.#options.keep)
    this.#playlist = playlist
    await this.#writePlaylist()
    await this.#deleteFormer(removed, about.seconds)
  }

  async end(): Promise<void> {
    if (this.#playlist.segments.length === 0) return
    this.#playlist = { ...this.#playlist, ended: true }
    await this.#writePlaylist()
  }

  get #stem(): string {
    return parse(this.#path).name
  }

  get #next(): number {
    return this.#playlist.sequence + this.#playlist.segments.length
  }

  async #writePlaylist(): Promise<void> {
    await this.#write(parse(this.#path).base, Buffer.from(playlistText(this.#playlist)))
  }

  /** Readers see the file as a whole or not at all. */
  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(dirname(this.#path), name)
    const temporary = `${path}.part`
    const handle = await openMediaFile(temporary, this.#options.mediaFolder, constants.O_TRUNC)
    try {
      await handle.writeFile(bytes)
      await handle.close()
      await rename(temporary, path)
    } catch (cause) {
      await handle.close().catch(() => undefined)
      throw cannotWrite(path, cause)
    }
  }

  /** A segment stays for its own length and that of the longest playlist that named it (RFC 8216, section 6.2.2). */
  async #deleteFormer(removed: readonly Segment[], seconds: number): Promise<void> {
    for (const former of this.#former) former.age += seconds
    this.#former.push(...removed.map((segment) => ({ ...segment, age: 0 })))
    const { keep, target } = this.#options
    while (this.#former[0] && this.#former[0].age >= this.#former[0].seconds + keep * target) {
      const gone = this.#former.shift()
      const needed = [...this.#former, ...this.#playlist.segments].some(
        ({ map }) => map === gone?.map,
      )
      if (gone) await this.#delete(gone.uri)
      if (gone && !needed && gone.map !== this.#map) await this.#delete(gone.map)
    }
  }

  async #delete(name: string): Promise<void> {
    const path = join(dirname(this.#path), name)
    await unlink(path).catch((cause: unknown) => {
      if (!isMissing(cause)) throw cannotWrite(path, cause)
    })
  }
}

async function earlierPlaylist(path: string, target: number): Promise<Playlist> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (isMissing(cause)) return ''
    throw cannotWrite(path, cause)
  })
  const earlier = readPlaylist(text)
  const none = { target, sequence: 0, discontinuitySequence: 0, segments: [], ended: false }
  if (!earlier) return none
  const { sequence, discontinuitySequence, segments } = earlier
  const there = new Set(await readdir(dirname(path)))
  const isWhole = segments.every(({ uri, map }) => there.has(uri) && there.has(map))
  // A playlist may not change its target.
  if (earlier.target === target && isWhole) return { ...earlier, ended: false }
  const discontinuities = segments.filter(({ discontinuity }) => discontinuity).length
  return {
    ...none,
    sequence: sequence + segments.length,
    discontinuitySequence: discontinuitySequence + discontinuities + 1,
  }
}

/** Deletes what an earlier run left and the playlist does not name. */
async function deleteOthers(folder: string, stem: string, playlist: Playlist): Promise<void> {
  const named = new Set(playlist.segments.flatMap(({ uri, map }) => [uri, map]))
  const shape = /^\.\d+\.(?:m4s|init\.mp4)(?:\.part)?$/
  for (const name of await readdir(folder)) {
    const isOurs = name.startsWith(stem) && shape.test(name.slice(stem.length))
    if (!isOurs || named.has(name)) continue
    const path = join(folder, name)
    await unlink(path).catch((cause: unknown) => {
      if (!isMissing(cause)) throw cannotWrite(path, cause)
    })
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
