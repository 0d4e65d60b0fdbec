import { dirname, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { glob } from 'tinyglobby'
import { AgentError } from '../core/errors.ts'
import type { FileAccess } from './access.ts'

const pictureEnding = /\.(jpe?g|png|webp|gif|avif)$/i

/** The path of a `file:` URL or a plain path. @throws AgentError SOURCE_UNSUPPORTED */
export function pathOf(url: string): string {
  if (!/^file:/i.test(url)) return resolve(url)
  const parsed = new URL(url)
  if (parsed.search || parsed.hash) {
    throw new AgentError(
      'SOURCE_UNSUPPORTED',
      `a file URL has neither query nor fragment: '${url}' (write ? as %3F and # as %23)`,
    )
  }
  try {
    return fileURLToPath(parsed)
  } catch (error) {
    throw new AgentError(
      'SOURCE_UNSUPPORTED',
      `'${url}' is no local file (file:///path is allowed)`,
      { cause: error },
    )
  }
}

/** Whether `path` is a pattern; a file whose very name looks like one is not. */
export async function isPattern(path: string, access: FileAccess): Promise<boolean> {
  if (!/[*?[{]|[!+@]\(/.test(path)) return false
  await access.check(fixedPart(path))
  return await access.isDirectory(path).then(
    () => false,
    () => true,
  )
}

/** The pictures that `pattern` matches, as paths below its fixed part, in natural order. */
export async function matchingPictures(
  pattern: string,
  access: FileAccess,
): Promise<{ readonly folder: string; readonly names: string[] }> {
  const folder = fixedPart(pattern)
  await access.check(folder)
  const names = await glob(pattern.slice(folder.length).replace(/^\/+/, ''), {
    cwd: folder,
    onlyFiles: true,
    followSymbolicLinks: false,
    expandDirectories: false,
  })
  return { folder, names: pictureNames(names, pattern) }
}

/** The pictures among `names`, in natural order. @throws AgentError SOURCE_UNREACHABLE when none is */
export function pictureNames(names: readonly string[], place: string): string[] {
  const pictures = names.filter((name) => pictureEnding.test(name))
  if (pictures.length > 0) return pictures.sort(naturalOrder)
  throw new AgentError(
    'SOURCE_UNREACHABLE',
    `${place} holds no pictures (.jpg .png .webp .gif .avif); found: ${endingsOf(names)}`,
  )
}

const collator = new Intl.Collator('en', { numeric: true })

function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1)
}

function endingsOf(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) {
    const ending = /[^.](\.[^./]+)$/.exec(name)?.[1] ?? 'without ending'
    counts.set(ending, (counts.get(ending) ?? 0) + 1)
  }
  const parts = Array.from(counts, ([ending, count]) => `${count} ${ending}`)
  return parts.length > 0 ? parts.slice(0, 8).join(', ') : 'nothing'
}

/** The folder above the first wildcard. */
function fixedPart(pattern: string): string {
  const wild = pattern.search(/[*?[{]|[!+@]\(/)
  const before = wild < 0 ? pattern : pattern.slice(0, wild)
  return before.endsWith(sep) && before.length > 1 ? before.slice(0, -1) : dirname(`${before}x`)
}
