import type { TfjsImport } from '../../../schemas/manifest.ts'
import { AgentError } from '../../core/errors.ts'
import { dataInputs, type GraphNode, nodeOf } from './graph.ts'

/**
 * The nodes that the outputs need, each after those it reads; nothing behind a cut.
 * @throws AgentError MODEL_LOAD for a name that is not in the graph, or a loop
 */
export function orderedNodes(
  all: readonly GraphNode[],
  spec: Pick<TfjsImport, 'inputs' | 'outputs'>,
): GraphNode[] {
  const byName = new Map(all.map((node) => [node.name, node]))
  for (const name of Object.keys(spec.inputs)) requireNode(byName, name, 'input')
  const ordered = new Map<string, GraphNode>()
  const open = new Set<string>()
  const pending = Object.keys(spec.outputs).map((name) =>
    requireNode(byName, nodeOf(name), 'output'),
  )
  for (let node = pending.at(-1); node; node = pending.at(-1)) {
    const reads = spec.inputs[node.name] ? [] : dataInputs(node).map(nodeOf)
    const missing = reads.filter((name) => !ordered.has(name))
    if (missing.length === 0 || ordered.has(node.name)) {
      ordered.set(node.name, node)
      pending.pop()
    } else if (open.has(node.name)) {
      throw new AgentError(
        'MODEL_LOAD',
        `cannot convert the graph to ONNX: '${node.name}' is part of a loop`,
      )
    } else {
      open.add(node.name)
      pending.push(...missing.map((name) => requireNode(byName, name, `operand of '${name}'`)))
    }
  }
  return [...ordered.values()]
}

/** The node of this name. @throws AgentError MODEL_LOAD when there is none */
export function requireNode(
  nodes: ReadonlyMap<string, GraphNode>,
  name: string,
  role: string,
): GraphNode {
  const node = nodes.get(name)
  if (node) return node
  throw new AgentError(
    'MODEL_LOAD',
    `cannot convert the graph to ONNX: no node '${name}' (${role})`,
  )
}
