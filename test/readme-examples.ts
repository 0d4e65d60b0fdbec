import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** One fenced block of a text, as people copy it. */
export interface Block {
  /** Its first line, a comment: what it does. */
  readonly title: string
  readonly code: string
}

/** The blocks below one heading: together one program, in one language. */
export interface Section {
  readonly heading: string
  readonly language: Language
  readonly blocks: readonly Block[]
}

const languages = ['sh', 'python', 'ts'] as const
export type Language = (typeof languages)[number]

/** What stands under one `##` heading. */
export function chapterOf(markdown: string, title: string): string {
  const chapter = markdown.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  if (chapter === undefined) throw new Error(`there is no chapter '${title}'`)
  return chapter
}

/** The blocks of a Markdown text by `###` heading; those above the first one are under ''. */
export function sectionsOf(markdown: string): Section[] {
  return markdown.split(/^### /m).flatMap((part, at) => {
    const heading = at === 0 ? '' : (part.split('\n')[0] ?? '')
    const fences = [...part.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    const [language] = languages.filter((known) => fences[0]?.[1] === known)
    if (!language) return []
    const strange = fences.filter(([, name]) => name !== language)
    if (strange.length > 0) throw new Error(`several languages under '${heading}'`)
    return [{ heading, language, blocks: fences.map(([, , code = '']) => block(code)) }]
  })
}

function block(code: string): Block {
  const [first = ''] = code.split('\n')
  return { title: first.replace(/^(#|\/\/) /, ''), code }
}

/** How a program ended, and what each of its blocks printed, by title. */
export interface Run {
  readonly code: number | null
  readonly stderr: string
  readonly printed: ReadonlyMap<string, string>
}

/** Prints a line between two blocks, to tell their output apart. */
const marks: Readonly<Record<Language, (mark: string) => string>> = {
  sh: (mark) => `echo '${mark}'`,
  python: (mark) => `print('${mark}', flush=True)`,
  ts: (mark) => `console.log('${mark}')`,
}

const programs: Readonly<Record<Language, readonly string[]>> = {
  sh: ['bash', '-e'],
  python: ['/usr/bin/python3'],
  ts: [resolve('node_modules/.bin/tsx')],
}

const files: Readonly<Record<Language, string>> = { sh: 'x.sh', python: 'x.py', ts: 'x.mts' }

/** Runs blocks one after another as one program, in `folder`, which has `heliograph` and the packages. */
export async function runBlocks(
  language: Language,
  blocks: readonly Block[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Run> {
  const markOf = (at: number) => `--- block ${at}`
  const code = blocks.flatMap((one, at) => [marks[language](markOf(at)), one.code]).join('\n')
  const file = join(folder, files[language])
  await writeFile(file, code)
  const [program = '', ...args] = programs[language]
  const child = spawn(program, [...args, file], {
    cwd: folder,
    env: { ...process.env, ...env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [exitCode] = await once(child, 'close')
  const outputs = stdout.split(/--- block \d+\n/).slice(1)
  const printed = new Map(blocks.map(({ title }, at) => [title, outputs[at] ?? '']))
  return { code: exitCode, stderr, printed }
}

/** Gives a folder what examples find where the package is installed: `heliograph`, its packages and its examples. */
export async function furnish(folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'))
  const program = resolve('dist/agent/cli/heliograph.js')
  const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`
  await writeFile(join(folder, 'bin', 'heliograph'), script, { mode: 0o755 })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await symlink(resolve('examples'), join(folder, 'examples'))
}
