import { AgentError } from '../../core/errors.ts'

/** One attribute of a graph node, in the JSON form of TensorFlow's AttrValue. */
export interface Attribute {
  readonly i?: number | string
  readonly f?: number
  readonly b?: boolean
  readonly s?: Text
  readonly type?: number | string
  readonly shape?: { readonly dim?: readonly { readonly size?: number | string }[] }
  readonly list?: {
    readonly i?: readonly (number | string)[]
    readonly s?: readonly Text[]
  }
}

/** Converters write text as base64, older ones as an array of bytes. */
export type Text = string | readonly number[]

/** One operation of a TensorFlow.js graph model. */
export interface GraphNode {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: Readonly<Record<string, Attribute>>
}

/** One weight as `model.json` declares it. */
export interface WeightSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly quantization?: {
    readonly dtype: string
    readonly scale?: number
    readonly min?: number
  }
}

/** Files whose bytes, joined, hold the weights one after the other. */
export interface WeightGroup {
  readonly paths: readonly string[]
  readonly weights: readonly WeightSpec[]
}

/** The content of a TensorFlow.js `model.json` of the kind "graph model". */
export interface GraphModel {
  readonly nodes: readonly GraphNode[]
  readonly groups: readonly WeightGroup[]
}

/** Reads a `model.json`. @throws AgentError MODEL_LOAD when it is no graph model */
export function parseGraphModel(text: string): GraphModel {
  const model = parseObject(text)
  const nodes = (model.modelTopology as { node?: unknown } | undefined)?.node
  if (!isNodeList(nodes) || !isGroupList(model.weightsManifest)) {
    const format = model.format ?? 'without a list of graph nodes and of weights'
    throw new AgentError(
      'MODEL_LOAD',
      `cannot import a TensorFlow.js model ${format}: only graph models can be converted`,
    )
  }
  return { nodes, groups: model.weightsManifest }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Reported below, like a text that is JSON but no object.
  }
  throw new AgentError('MODEL_LOAD', 'cannot import a TensorFlow.js model: model.json is not JSON')
}

function isNodeList(value: unknown): value is GraphNode[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((node) => typeof node?.name === 'string' && typeof node?.op === 'string')
  )
}

function isGroupList(value: unknown): value is WeightGroup[] {
  return (
    Array.isArray(value) &&
    value.every((group) => isTextList(group?.paths) && isWeightList(group?.weights))
  )
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isWeightList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (weight) =>
        typeof weight?.name === 'string' &&
        typeof weight?.dtype === 'string' &&
        Array.isArray(weight?.shape) &&
        weight.shape.every((side: unknown) => Number.isInteger(side) && Number(side) >= 0),
    )
  )
}

/** Names of the tensors that a node reads; control inputs (`^name`) carry no data. */
export function dataInputs(node: GraphNode): string[] {
  return (node.input ?? []).filter((name) => !name.startsWith('^')).map(tensorName)
}

/** `node:0` and `node` are the same tensor; this is its one name. */
export function tensorName(name: string): string {
  return name.endsWith(':0') ? name.slice(0, -2) : name
}

/** The node that computes a tensor. */
export function nodeOf(tensor: string): string {
  return tensor.replace(/:\d+$/, '')
}
