/** Ids of agents, services, inputs and outputs: a topic level that needs no quoting anywhere. */
export const ID_PATTERN = '^[a-z0-9][a-z0-9_-]{0,62}$'

/** Names that mean something else where ids stand, so no input or output may be called so. */
export const RESERVED_IDS: readonly string[] = [
  'url',
  'v',
  'id',
  'args',
  'replyTo',
  'deadline',
  'ttlMs',
]

const idPattern = new RegExp(ID_PATTERN)

/** Whether `text` can name an agent, a service, an input or an output. */
export function isId(text: string): boolean {
  return idPattern.test(text) && !RESERVED_IDS.includes(text)
}
