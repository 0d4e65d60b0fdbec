/** The one track of each stream, as SDP names it. */
export const trackControl = 'trackID=0'

/** What a request's URL points to. */
export interface Target {
  /** Host and port as the client wrote them, without user and password. */
  readonly authority: string
  /** Of the stream: without track, query and slashes at its end. */
  readonly path: string
}

/** Takes a URL apart; undefined where it is none of RTSP. A track that does not exist stays part of the path. */
export function targetOf(url: string): Target | undefined {
  const [, whole = '', rest = ''] = /^rtsp:\/\/([^/?#]*)([^?#]*)/i.exec(url) ?? []
  const authority = whole.slice(whole.lastIndexOf('@') + 1)
  if (authority === '') return
  const path = withoutSlashes(rest)
  const track = `/${trackControl}`
  return {
    authority,
    path: path.endsWith(track) ? withoutSlashes(path.slice(0, -track.length)) : path,
  }
}

/** Relative URLs in the SDP are resolved against this (RFC 2326, appendix C.1.1). */
export function baseUrl({ authority, path }: Target): string {
  return `rtsp://${authority}${path}/`
}

function withoutSlashes(path: string): string {
  let end = path.length
  while (path[end - 1] === '/') end--
  return path.slice(0, end)
}
