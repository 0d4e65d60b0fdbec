import { posix } from 'node:path'
import { type Edge, edgesOf, packageOf, reach, type Tree } from './module-graph.ts'

/**
 * Folder or file → what its files may import besides the folder itself; the longest match counts.
 * `type x` allows only types of `x`.
 */
export type ImportTable = Readonly<Record<string, readonly string[]>>

/** Imports that the table does not allow, as `file → import`. Files in no folder of it are named too. */
export function strayImports(tree: Tree, table: ImportTable): string[] {
  return [...tree.keys()].flatMap((file) => {
    const folder = longest(Object.keys(table), file)
    if (folder === undefined) return [`${file} lies in no folder of the table`]
    const may = [folder, ...(table[folder] ?? [])]
    return edgesOf(tree, file)
      .filter((edge) => edge.kind !== 'entry' && !may.some((allowed) => allows(allowed, edge)))
      .map(({ kind, to }) => `${file} → ${kind === 'type' ? 'type ' : ''}${to}`)
  })
}

function allows(allowed: string, { kind, to }: Edge): boolean {
  const [, types] = /^type (.*)/.exec(allowed) ?? []
  return types === undefined ? isIn(to, allowed) : kind === 'type' && isIn(to, types)
}

/** Whether an import lies in what a row allows: `node:` allows every built-in, `a` allows `a/b`. */
function isIn(to: string, prefix: string): boolean {
  return to === prefix || to.startsWith(prefix.endsWith(':') ? prefix : `${prefix}/`)
}

function longest(prefixes: readonly string[], file: string): string | undefined {
  return prefixes.filter((prefix) => isIn(file, prefix)).sort((a, b) => b.length - a.length)[0]
}

/** Ways from `from` to a package that must not be loaded into its process. */
export function forbiddenReach(
  tree: Tree,
  from: string,
  packages: readonly string[],
  follow: (edge: Edge, file: string) => boolean = inProcess(tree),
): string[] {
  return [...reach(tree, from, follow)]
    .filter(([to]) => packages.includes(packageOf(to) ?? ''))
    .map(([, way]) => way.join(' → '))
}

/** Follows what is loaded into the same process: imports, and the entries of threads it starts. */
export function inProcess(tree: Tree): (edge: Edge, file: string) => boolean {
  return ({ kind }, file) => {
    if (kind === 'entry') return /\bnew Worker\(/.test(tree.get(file) ?? '')
    return kind !== 'type'
  }
}

/** Follows only what is loaded when the file itself is. */
export const atLoad = ({ kind }: Edge): boolean => kind === 'static'

/** Uses of a plugin by anything but its registry. A plugin is what `<folder>/registry.ts` imports beside it. */
export function pluginsInUse(tree: Tree, folder: string, shared: readonly string[] = []): string[] {
  const registry = `${folder}/registry.ts`
  const plugins = pluginsOf(tree, folder).filter((file) => !shared.includes(posix.basename(file)))
  return [...tree.keys()]
    .filter((file) => file !== registry)
    .flatMap((file) =>
      edgesOf(tree, file)
        .filter(({ kind, to }) => kind !== 'type' && plugins.includes(to) && to !== file)
        .map(({ to }) => `${file} → ${to}`),
    )
}

/** The files beside a folder's registry that the registry imports at run time. */
export function pluginsOf(tree: Tree, folder: string): string[] {
  return edgesOf(tree, `${folder}/registry.ts`)
    .filter(({ kind, to }) => kind !== 'type' && posix.dirname(to) === folder)
    .map(({ to }) => to)
}

/** Files outside `folders` that import a package which only those may know. */
export function outsideFolder(tree: Tree, name: string, ...folders: readonly string[]): string[] {
  return [...tree.keys()].filter(
    (file) =>
      !folders.some((folder) => isIn(file, folder)) &&
      edgesOf(tree, file).some(({ to }) => packageOf(to) === name),
  )
}

/** Files whose code matches, outside those that may. Comment lines do not count. */
export function matchesOutside(tree: Tree, pattern: RegExp, may: readonly string[]): string[] {
  return [...tree]
    .filter(([file]) => !may.some((prefix) => isIn(file, prefix)))
    .filter(([, text]) => pattern.test(text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')))
    .map(([file]) => file)
}

/** Error codes that the code raises or names in a `code:` field. */
export function errorCodesIn(tree: Tree): Set<string> {
  const raised = /(?:AgentError(?:\.from)?\([^'"]{0,40}|\bcode: )'([A-Z][A-Z_]{3,})'/g
  return new Set(
    [...tree.values()]
      .flatMap((text) => [...text.matchAll(raised)].map(([, code = '']) => code))
      .filter((code) => !/^(E[A-Z]+$|ERR_)/.test(code)),
  )
}
