import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { AgentError } from '../core/errors.ts'
import type { Given } from './given.ts'

/**
 * Reads a configuration file, keeping where each value stands.
 * @throws AgentError CONFIG_INVALID where it cannot be read or is not YAML
 */
export async function yamlFile(file: string): Promise<Given> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message
    throw new AgentError('CONFIG_INVALID', `${file}: ${why}`, { cause: error })
  })
  const lines = new LineCounter()
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [fault] = document.errors
  if (fault) throw new AgentError('CONFIG_INVALID', `${at(fault.pos[0])}: ${fault.message}`)
  return {
    path: [],
    value: document.toJS(),
    origin: {
      folder: dirname(file),
      where: (path, part) => at(nodeAt(document, path, part)?.range?.[0] ?? 0),
    },
  }
}

/** The node at `path` or its key; where an alias hides it, the nearest one above. */
function nodeAt(
  document: Document,
  path: readonly string[],
  part: 'key' | 'value',
): Node | undefined {
  const parent = path.length === 0 ? document.contents : document.getIn(path.slice(0, -1), true)
  const pair =
    isMap(parent) && path.length > 0
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1))
      : undefined
  if (part === 'key' && isNode(pair?.key)) return pair.key
  const value = document.getIn(path, true)
  if (isNode(value)) return value
  return path.length > 0 ? nodeAt(document, path.slice(0, -1), 'value') : undefined
}
