/** Topic filters by level, each with the keys of those who hold it. */
export interface FilterTree {
  add(filter: string, key: string): void
  remove(filter: string, key: string): void
  /** Every key with at least one filter that matches `topic` (MQTT 3.1.1, section 4.7). */
  match(topic: string): Set<string>
}

interface Node {
  readonly keys: Set<string>
  readonly children: Map<string, Node>
}

/** An empty tree; adding and matching take time by levels, not by how many filters there are. */
export function filterTree(): FilterTree {
  const root = emptyNode()
  return {
    add(filter, key) {
      let node = root
      for (const level of filter.split('/')) node = child(node, level)
      node.keys.add(key)
    },
    remove: (filter, key) => void removeBelow(root, filter.split('/'), key),
    match(topic) {
      const found = new Set<string>()
      // Wildcards do not match topics that start with $, and nobody may name one.
      if (!topic.startsWith('$')) collect(root, topic.split('/'), found)
      return found
    },
  }
}

function emptyNode(): Node {
  return { keys: new Set(), children: new Map() }
}

function child(node: Node, level: string): Node {
  const existing = node.children.get(level) ?? emptyNode()
  node.children.set(level, existing)
  return existing
}

function collect(node: Node, levels: readonly string[], found: Set<string>): void {
  // `a/#` matches `a` too.
  for (const key of node.children.get('#')?.keys ?? []) found.add(key)
  const [level, ...rest] = levels
  if (level === undefined) {
    for (const key of node.keys) found.add(key)
    return
  }
  for (const name of ['+', level]) {
    const next = node.children.get(name)
    if (next) collect(next, rest, found)
  }
}

/** Removes the key and the branches that nobody needs any more; returns whether `node` is empty. */
function removeBelow(node: Node, [level, ...rest]: readonly string[], key: string): boolean {
  if (level === undefined) node.keys.delete(key)
  else {
    const next = node.children.get(level)
    if (next && removeBelow(next, rest, key)) node.children.delete(level)
  }
  return node.keys.size === 0 && node.children.size === 0
}
