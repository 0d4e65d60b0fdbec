import { posix } from 'node:path'

/**
 * How one file names another. `type`: gone after compilation. `static` and `dynamic`: loaded into the
 * same thread. `entry`: a path handed to a new process or thread.
 */
export type EdgeKind = 'type' | 'static' | 'dynamic' | 'entry'

export interface Edge {
  readonly kind: EdgeKind
  /** A file of the tree, or a package or built-in as it is written. */
  readonly to: string
}

/** Source text by path, `/` between folders. */
export type Tree = ReadonlyMap<string, string>

const statement = /^\s*(?:import|export)\b(\s+type\b)?(?:[^'";]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm
const call = /(\btypeof\s+)?\b(?:import|require)\(\s*['"]([^'"\n]+)['"]\s*\)(\.[A-Z])?/g
const relativePath = /['"](\.{1,2}\/[^'"\n]+\.[cm]?[jt]s)['"]/g
const commentLine = /^\s*(?:\/\/|\/?\*).*$/gm

/**
 * What `file` imports and starts. Reads text, not syntax: enough for formatted code. An `import` of
 * inline `type` names counts as `static`, as `verbatimModuleSyntax` keeps it.
 */
export function edgesOf(tree: Tree, file: string): Edge[] {
  const text = (tree.get(file) ?? '').replace(commentLine, '')
  const edges: Edge[] = []
  const add = (kind: EdgeKind, name: string) => edges.push({ kind, to: resolve(tree, file, name) })
  for (const [, type, name = ''] of text.matchAll(statement)) add(type ? 'type' : 'static', name)
  for (const [, type, name = '', member] of text.matchAll(call)) {
    add(type || member ? 'type' : 'dynamic', name)
  }
  const imported = new Set(edges.map(({ to }) => to))
  for (const [, name = ''] of text.matchAll(relativePath)) {
    const to = resolve(tree, file, name)
    if (tree.has(to) && !imported.has(to)) edges.push({ kind: 'entry', to })
  }
  return edges
}

function resolve(tree: Tree, file: string, name: string): string {
  if (!name.startsWith('.')) return name
  const path = posix.join(posix.dirname(file), name)
  const source = path.replace(/\.([cm]?)js$/, '.$1ts')
  return tree.has(source) ? source : path
}

/** Everything that `from` reaches over edges that `follow` lets pass, with the way to it. */
export function reach(
  tree: Tree,
  from: string,
  follow: (edge: Edge, file: string) => boolean,
): Map<string, readonly string[]> {
  const ways = new Map<string, readonly string[]>([[from, [from]]])
  for (const [file, way] of ways) {
    for (const edge of edgesOf(tree, file)) {
      if (!follow(edge, file) || ways.has(edge.to)) continue
      ways.set(edge.to, [...way, edge.to])
    }
  }
  return ways
}

/** The package of an import: `a/b` → `a`, `@a/b/c` → `@a/b`; undefined for files and built-ins. */
export function packageOf(to: string): string | undefined {
  if (to.startsWith('node:') || to.endsWith('.ts') || to.startsWith('.')) return undefined
  return to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/')
}
