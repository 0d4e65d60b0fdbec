/** `url` for messages: without credentials and without the query, which may hold a token. */
export function shownUrl(url: URL): string {
  const path = url.pathname.replaceAll('%7B', '{').replaceAll('%7D', '}')
  return `${url.protocol}//${url.host}${path}${url.search ? '?…' : ''}`
}
