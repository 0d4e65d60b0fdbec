import { Envelope } from './envelope.ts'
import { type Example, examples } from './examples.ts'
import { ID_PATTERN } from './ids.ts'
import { type Topic, type TopicName, topics } from './topics.ts'
import type { TSchema } from './typebox.ts'

/**
 * The wire contract as an AsyncAPI 3.0 document, derived from `topics`. `receive` is what the agent
 * takes, `send` what it publishes. The same version gives the same document.
 */
export function asyncApi(version: string): object {
  const all = Object.entries(topics).map(([name, topic]) => describe(name as TopicName, topic))
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Heliograph edge inference agent',
      version,
      description:
        'Control messages in, inference results out. A bare payload is always enough; an envelope (`args` with `id`, `replyTo`, `ttlMs`, `deadline`) asks for a reply. Within contract version 1 fields are only ever added.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: { ...merged(all, 'channel'), replyTo: replyChannel },
    operations: merged(all, 'operation'),
    components: {
      parameters,
      messages: Object.assign({}, ...all.map(({ messages }) => messages)),
      schemas: Object.assign({}, ...all.map(({ schemas }) => schemas)),
    },
  }
}

const parameters: Readonly<Record<string, object>> = {
  root: { description: 'First level of every topic, as configured.', default: 'edge' },
  agent: { description: `Id of the agent: ${ID_PATTERN}` },
  service: { description: `Id of the service: ${ID_PATTERN}` },
  input: { description: 'Id of the input that the message is about.' },
  output: { description: 'Id of the output that makes the stream.' },
  alert: { description: 'Names the alert; the same name clears it.' },
  caller: { description: 'Chosen by the caller; under its user name where clients authenticate.' },
}

const replyChannel = {
  address: null,
  title: 'replyTo',
  summary: 'Where the envelope asked for its reply; below {root}/1/$reply/.',
  messages: { reply: { $ref: '#/components/messages/reply' } },
}

const prefixes: Readonly<Record<Topic['scope'], string>> = {
  root: '{root}/1',
  agent: '{root}/1/{agent}',
  service: '{root}/1/{agent}/{service}',
}

/** Where a topic's messages are, with `{…}` for what differs. */
export function channelAddress({ scope, path }: Topic): string {
  return `${prefixes[scope]}/${path}`
}

interface Described {
  readonly id: string
  readonly channel: object
  readonly operation: object
  readonly messages: Readonly<Record<string, object>>
  readonly schemas: Readonly<Record<string, object>>
}

function describe(name: TopicName, topic: Topic): Described {
  const id = idOf(name, topic)
  const address = channelAddress(topic)
  const messages = messagesOf(id, name, topic)
  const names = Object.keys(messages)
  return {
    id,
    messages,
    schemas: schemasOf(id, topic),
    channel: {
      address,
      title: topic.path,
      summary: topic.summary,
      parameters: refs('parameters', parametersOf(address)),
      messages: refs('messages', names),
    },
    operation: {
      action: topic.way === 'in' ? 'receive' : 'send',
      channel: { $ref: `#/channels/${id}` },
      summary: topic.summary,
      messages: names.map((message) => ({ $ref: `#/channels/${id}/messages/${message}` })),
      bindings: { mqtt: { qos: topic.qos, retain: topic.retain, bindingVersion: '0.2.0' } },
      ...(topic.way === 'in' ? { reply } : {}),
    },
  }
}

const reply = {
  address: { location: '$message.payload#/replyTo', description: 'Envelopes only.' },
  channel: { $ref: '#/channels/replyTo' },
  messages: [{ $ref: '#/channels/replyTo/messages/reply' }],
}

/** `$cmd/service/add` of the agent → `agentCmdServiceAdd`; `input/set` of a service → `inputSet`. */
function idOf(name: TopicName, { scope }: Topic): string {
  const words = name.replace('$', '').split('/')
  const [first = '', ...rest] = scope === 'agent' ? ['agent', ...words] : words
  return [first, ...rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

function messagesOf(id: string, name: TopicName, topic: Topic): Record<string, object> {
  const bare = {
    name: id,
    summary: topic.summary,
    payload: { $ref: `#/components/schemas/${id}` },
    examples: examples[name],
  }
  if (topic.way === 'out') return { [id]: bare }
  const enveloped = {
    name: `${id}Envelope`,
    summary: `The same as \`args\` of a request that wants a reply or is bounded in time.`,
    payload: { $ref: `#/components/schemas/${id}Envelope` },
    examples: examples[name].map((example) => ({ ...example, payload: envelope(example) })),
  }
  return { [id]: bare, [`${id}Envelope`]: enveloped }
}

/** Each has an id of its own: the same id is carried out once. */
const envelope = ({ name, payload: args }: Example): object => ({
  v: 1,
  id: `7c1e-${name}`,
  replyTo: 'edge/1/$reply/console',
  ttlMs: 5000,
  args,
})

function schemasOf(id: string, topic: Topic): Record<string, object> {
  if (topic.way === 'out') return { [id]: plain(topic.payload) }
  const fields = plain(Envelope)
  const args = { $ref: `#/components/schemas/${id}` }
  const enveloped = { ...fields, properties: { ...fields.properties, args } }
  return { [id]: plain(topic.payload), [`${id}Envelope`]: enveloped }
}

/** The JSON Schema alone, without what the schema library adds for itself. */
function plain(schema: TSchema): { properties?: object } {
  return JSON.parse(JSON.stringify(schema))
}

function parametersOf(address: string): string[] {
  return [...address.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter)
}

function refs(section: string, names: readonly string[]): Record<string, object> {
  return Object.fromEntries(
    names.map((name) => [name, { $ref: `#/components/${section}/${name}` }]),
  )
}

function merged(all: readonly Described[], part: 'channel' | 'operation'): Record<string, object> {
  return Object.fromEntries(all.map((one) => [one.id, one[part]]))
}
