import type { GraphNode, Text } from './graph.ts'

/** An integer attribute. */
export function integer(node: GraphNode, name: string, absent = 0): number {
  const value = node.attr?.[name]?.i
  return value === undefined ? absent : Number(value)
}

/** A float attribute. */
export function float(node: GraphNode, name: string, absent: number): number {
  return node.attr?.[name]?.f ?? absent
}

/** A boolean attribute, false where it is absent. */
export function flag(node: GraphNode, name: string): boolean {
  return node.attr?.[name]?.b ?? false
}

/** A text attribute. */
export function text(node: GraphNode, name: string, absent: string): string {
  const value = node.attr?.[name]?.s
  return value === undefined ? absent : decodeText(value)
}

/** A list of integers, empty where it is absent. */
export function integers(node: GraphNode, name: string): number[] {
  return (node.attr?.[name]?.list?.i ?? []).map(Number)
}

/** A list of texts, empty where it is absent. */
export function texts(node: GraphNode, name: string): string[] {
  return (node.attr?.[name]?.list?.s ?? []).map(decodeText)
}

/** The sides of a shape attribute; negative = unknown. */
export function shape(node: GraphNode, name: string): number[] {
  return (node.attr?.[name]?.shape?.dim ?? []).map(({ size }) => Number(size ?? 0))
}

/** The first of `names` that is an element type, as TensorFlow's DataType number. */
export function dataType(node: GraphNode, ...names: readonly string[]): number | undefined {
  const found = names.map((name) => node.attr?.[name]?.type).find((type) => type !== undefined)
  return typeof found === 'string' ? dataTypeNumbers[found] : found
}

const dataTypeNumbers: Readonly<Record<string, number>> = {
  DT_FLOAT: 1,
  DT_INT32: 3,
  DT_UINT8: 4,
  DT_INT64: 9,
  DT_BOOL: 10,
  DT_HALF: 19,
}

function decodeText(value: Text): string {
  return typeof value === 'string'
    ? Buffer.from(value, 'base64').toString()
    : Buffer.from(value).toString()
}
