import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { extname, join, parse } from 'node:path'
import { filledPath, type NameParts } from './media-path.ts'

/** What placeholders look like once they are filled. */
const shapes: Readonly<Record<string, string>> = {
  '{time}': String.raw`\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d`,
  '{seq}': String.raw`\d{8,}`,
}

/**
 * The first path for `parts` whose file does not exist: `gate.mp4`, else `gate.1.mp4` and on. Numbers
 * only grow while one file is there. A dot, because ids have none: `gate-1` may be another input.
 */
export async function freePath(pattern: string, parts: NameParts): Promise<string> {
  const path = filledPath(pattern, parts)
  const { dir, name, ext } = parse(path)
  const numbered = new RegExp(`^${escaped(name)}(?:\\.(\\d+))?${escaped(ext)}$`)
  const numbers = (await entriesOf(dir)).flatMap((entry) => {
    const match = numbered.exec(entry.name)
    return match ? [Number(match[1] ?? 0)] : []
  })
  return numbers.length === 0 ? path : join(dir, `${name}.${Math.max(...numbers) + 1}${ext}`)
}

/** Every file that `pattern` may have named for `input`, oldest first by name. Links are left alone. */
export async function namedFiles(pattern: string, input: string): Promise<string[]> {
  const [fixed = '', ...rest] = pattern.split(/\/(?=[^/]*\{)/)
  const levels = rest.length === 0 ? [parse(pattern).base] : rest.join('/').split('/')
  let folders = [rest.length === 0 ? parse(pattern).dir : fixed]
  for (const level of levels.slice(0, -1)) {
    folders = await below(folders, levelPattern(level, input), (entry) => entry.isDirectory())
  }
  const last = levels.at(-1) ?? ''
  const files = await below(folders, filePattern(last, input), (entry) => entry.isFile())
  return files.toSorted(byNumbers)
}

async function below(
  folders: readonly string[],
  name: RegExp,
  isRight: (entry: Dirent) => boolean,
): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const right = (await entriesOf(folder)).filter(
      (entry) => name.test(entry.name) && isRight(entry),
    )
    found.push(...right.map((entry) => join(folder, entry.name)))
  }
  return found
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

function levelPattern(level: string, input: string): RegExp {
  return new RegExp(`^${shapeOf(level, input)}$`)
}

function filePattern(name: string, input: string): RegExp {
  const ext = extname(name)
  const stem = name.slice(0, name.length - ext.length)
  return new RegExp(`^${shapeOf(stem, input)}(?:\\.\\d+)?${escaped(ext)}$`)
}

function shapeOf(text: string, input: string): string {
  return text
    .split(/(\{(?:input|time|seq)\})/)
    .map((part) => (part === '{input}' ? escaped(input) : (shapes[part] ?? escaped(part))))
    .join('')
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** By text, but numbers by value, and `gate.mp4` ahead of `gate.1.mp4`. */
function byNumbers(one: string, other: string): number {
  const [first, second] = [parse(one), parse(other)]
  return order.compare(join(first.dir, first.name), join(second.dir, second.name))
}
const order = new Intl.Collator('en', { numeric: true })
