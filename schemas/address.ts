import { isId } from './ids.ts'

/** Where an agent's topics lie: `<root>/1/<agent>/…`. */
export interface AddressBook {
  readonly root: string
  readonly agent: string
}

/** `<root>/1/<agent>/<path>` */
export function agentTopic({ root, agent }: AddressBook, path: string): string {
  return `${root}/1/${agent}/${path}`
}

/** `<root>/1/<agent>/<service>/<path>` */
export function serviceTopic(book: AddressBook, service: string, path: string): string {
  return agentTopic(book, `${service}/${path}`)
}

/** The only topics that replies may be sent to. */
export function replyPrefix({ root }: AddressBook): string {
  return `${root}/1/$reply/`
}

/** The service levels that callers publish on. */
const serviceControls = ['input/set', 'output/set', 'model/set', 'compute'] as const
/** One of them. */
export type ServiceControl = (typeof serviceControls)[number]

/** What a published topic means to the agent. */
export type TopicRole =
  | { readonly role: 'control'; readonly service: string; readonly name: ServiceControl }
  | { readonly role: 'command'; readonly name: string }
  /** Only the agent may publish here. */
  | { readonly role: 'own'; readonly service?: string }
  /** Not the agent's: other programs' topics. */
  | { readonly role: 'foreign' }

/** Reads a topic name. Everything below `<root>/1/` that is no control topic belongs to the agent. */
export function topicRole({ root, agent }: AddressBook, topic: string): TopicRole {
  const mine = `${root}/1/`
  if (!topic.startsWith(mine)) return { role: 'foreign' }
  const [owner = '', first = '', ...rest] = topic.slice(mine.length).split('/')
  if (owner !== agent) return { role: 'own' }
  const tail = rest.join('/')
  if (first === '$cmd' && tail !== '') return { role: 'command', name: tail }
  if (!isId(first)) return { role: 'own' }
  const name = serviceControls.find((control) => control === tail)
  return name ? { role: 'control', service: first, name } : { role: 'own', service: first }
}
