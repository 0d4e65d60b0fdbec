import { AgentError } from '../core/errors.ts'

const pictureEnding = /\.(jpe?g|png|webp|gif|avif)$/i

/**
 * The pictures that a web server's listing of the folder `base` links to: those in that very folder,
 * each once, in the order of the page.
 * @throws AgentError SOURCE_UNSUPPORTED when there are none
 */
export function picturesOfIndex(html: string, base: URL, shownAs: string): URL[] {
  const links = new Map<string, URL>()
  for (const [, , quoted, bare] of html.matchAll(
    /<a\s[^>]*?href\s*=\s*(?:(["'])(.*?)\1|([^\s>]+))/gis,
  )) {
    const target = pictureIn(base, plainText(quoted ?? bare ?? ''))
    if (target) links.set(target.href, target)
  }
  if (links.size > 0) return [...links.values()]
  throw new AgentError(
    'SOURCE_UNSUPPORTED',
    `${shownAs} is a web page that lists no pictures of its own folder; a picture, a video or a folder listing is allowed`,
  )
}

/** The name of a listed picture, for people. */
export function nameOf(url: URL): string {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function pictureIn(base: URL, link: string): URL | undefined {
  if (!URL.canParse(link, base.href)) return undefined
  const target = new URL(link, base)
  target.hash = ''
  const folder = folderOf(base)
  const isHere = target.origin === base.origin && folderOf(target) === folder
  return isHere && pictureEnding.test(target.pathname) ? target : undefined
}

function folderOf({ pathname }: URL): string {
  return pathname.slice(0, pathname.lastIndexOf('/') + 1)
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
  '&#x27;': "'",
  '&lt;': '<',
  '&gt;': '>',
}

function plainText(attribute: string): string {
  return attribute.replace(
    /&(amp|quot|#39|#x27|lt|gt);/gi,
    (entity) => entities[entity.toLowerCase()] ?? entity,
  )
}
