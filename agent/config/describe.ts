import { Document, isMap, isScalar, type Node } from 'yaml'
import { type Config, ConfigSchema, type SettingSchema, settings } from '../../schemas/config.ts'
import { redact } from '../core/redact.ts'

const SECRET = /password|passwd|secret|token|credential/i

/**
 * The configuration as a YAML file that says the same: each setting with what it means and its
 * variable, secrets as `***`.
 */
export function describeConfig(config: Config): string {
  const document = new Document(masked(ordered(config, ConfigSchema)))
  comment(document.contents, ConfigSchema, [])
  return document.toString({ lineWidth: 0 })
}

/** The same, in the order of the schema. */
function ordered(value: unknown, schema: SettingSchema): unknown {
  if (typeof value !== 'object' || value === null || !schema.properties) return value
  const entries = Object.entries(schema.properties)
    .map(([key, child]) => [key, ordered(Reflect.get(value, key), child)] as const)
    .filter(([, child]) => child !== undefined)
  return Object.fromEntries(entries)
}

/** `value`, of the setting `key`, as it may be shown: without secrets, its own or any below. */
export function masked(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return SECRET.test(key) ? '***' : redact(value)
  if (Array.isArray(value)) return value.map((item) => masked(item, key))
  if (typeof value !== 'object' || value === null) return SECRET.test(key) ? '***' : value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, masked(child, name)]),
  )
}

function comment(node: Node | null, schema: SettingSchema, path: readonly string[]): void {
  if (!isMap(node) || !schema.properties) return
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue
    const below = [...path, String(key.value)]
    const child = schema.properties[String(key.value)]
    const variable = settings.find(({ name }) => name === below.join('.'))?.variable
    key.commentBefore = ` ${child?.description ?? ''}${variable ? ` (${variable})` : ''}`
    key.spaceBefore = path.length === 0
    if (child) comment(value as Node, child, below)
  }
}
