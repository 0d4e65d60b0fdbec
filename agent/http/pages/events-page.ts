import type { AddressBook } from '../../../schemas/address.ts'
import { channelAddress } from '../../../schemas/asyncapi.ts'
import { Envelope } from '../../../schemas/envelope.ts'
import { type Example, examples } from '../../../schemas/examples.ts'
import { type Topic, type TopicName, topics } from '../../../schemas/topics.ts'
import { type Html, html } from './html.ts'
import { page } from './page.ts'
import { schemaTree } from './schema-tree.ts'

type Kind = Pick<Topic, 'scope' | 'way'>

/** Headings, in the order of the page. */
const groups: readonly (Kind & { readonly title: string })[] = [
  { scope: 'service', way: 'in', title: 'A service: you publish' },
  { scope: 'service', way: 'out', title: 'A service: the agent publishes' },
  { scope: 'agent', way: 'in', title: 'The agent: you publish' },
  { scope: 'agent', way: 'out', title: 'The agent: the agent publishes' },
  { scope: 'root', way: 'in', title: 'Everyone: you publish' },
  { scope: 'root', way: 'out', title: 'Replies' },
]

/** The MQTT interface to read and to search: every channel of the AsyncAPI document, for this agent. */
export function eventsPage(version: string, book: AddressBook): string {
  const shown = groups.filter((group) => namesIn(group).length > 0)
  return page({
    title: 'Heliograph: MQTT interface',
    script: 'search.js',
    body: html`<header>
<h1>MQTT interface <small>${version}</small></h1>
<input id="search" type="search" placeholder="Search topics, fields, texts" aria-label="Search" autocomplete="off">
<output id="found" for="search"></output>
<a href="/">Agent</a> <a href="/docs">HTTP interface</a> <a href="/asyncapi.json">asyncapi.json</a>
</header>
<nav aria-label="Topics">${shown.map(contents)}</nav>
<main>
${introduction(book)}
${shown.map(section)}
<p id="nothing" hidden>Nothing here says that.</p>
</main>`,
  })
}

function namesIn({ scope, way }: Kind): TopicName[] {
  const names = Object.keys(topics) as TopicName[]
  return names.filter((name) => topics[name].scope === scope && topics[name].way === way)
}

function contents(group: (typeof groups)[number]): Html {
  const links = namesIn(group).map((name) => html`<li>${linkTo(name)}</li>`)
  return html`<div><h2>${group.title}</h2><ul>${links}</ul></div>`
}

const linkTo = (name: TopicName): Html => html`<a href="#${name}">${topics[name].path}</a>`

function introduction({ root, agent }: AddressBook): Html {
  return html`<article id="envelope">
<h2><a href="#envelope">Requests and replies</a></h2>
<p>On this agent <code>{root}</code> is <code>${root}</code> and <code>{agent}</code> is <code>${agent}</code>;
<code>{service}</code> is the name of one of its services. A bare payload is always enough: a URL, a word, JSON.
Whoever wants an answer puts the payload into <code>args</code> of an envelope and subscribes to its <code>replyTo</code>.</p>
${schemaTree(Envelope)}
</article>`
}

function section(group: (typeof groups)[number]): Html {
  return html`<section><h2>${group.title}</h2>${namesIn(group).map(channel)}</section>`
}

function channel(name: TopicName): Html {
  const topic: Topic = topics[name]
  const facts = [topic.way === 'in' ? 'you publish' : 'the agent publishes', `QoS ${topic.qos}`]
  if (topic.retain) facts.push('retained')
  return html`<article id="${name}">
<h3><a href="#${name}"><code>${channelAddress(topic)}</code></a></h3>
<p>${topic.summary}</p>
<p>${facts.map((fact) => html`<span class="fact">${fact}</span> `)}</p>
<h4>Payload</h4>
${schemaTree(topic.payload)}
<h4>Examples</h4>
${examples[name].map(example)}
</article>`
}

function example({ name, payload }: Example): Html {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload, null, 2)
  return html`<figure><figcaption>${name}</figcaption><pre>${text}</pre></figure>`
}
