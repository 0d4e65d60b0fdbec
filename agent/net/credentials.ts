/** User name and password of a URL, as they were meant. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** The credentials in `url`, percent-encoding undone. */
export function credentialsOf(url: URL): Credentials | undefined {
  if (!url.username && !url.password) return undefined
  return { username: decoded(url.username), password: decoded(url.password) }
}

/** The header of basic authentication (RFC 7617) for the credentials in `url`. */
export function basicAuthorization(url: URL): Record<string, string> {
  const found = credentialsOf(url)
  if (!found?.username) return {}
  const pair = Buffer.from(`${found.username}:${found.password}`)
  return { authorization: `Basic ${pair.toString('base64')}` }
}

/** Percent-encoding undone, where it is any. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
