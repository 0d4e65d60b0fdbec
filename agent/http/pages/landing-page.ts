import type { AgentInfo } from '../../../schemas/state.ts'
import { html } from './html.ts'
import { page } from './page.ts'

const links = [
  ['/docs', 'HTTP interface', 'Every call, to read and to try.'],
  ['/docs/events', 'MQTT interface', 'Every topic and its messages.'],
  ['/info', 'This agent', 'Version, hardware, providers, addresses; as JSON.'],
] as const

const kinds: Readonly<Record<string, string>> = {
  mqtt: 'MQTT',
  ws: 'MQTT over WebSocket',
  rtsp: 'Annotated video (RTSP); each service says where on its stream topics',
  http: 'HTTP',
}

/** What a browser finds at the agent's address: where to go on, and where else the agent listens. */
export function landingPage({ agent, addresses }: Pick<AgentInfo, 'agent' | 'addresses'>): string {
  const ways = links.map(
    ([path, name, what]) => html`<li><a href="${path}">${name}</a> ${what}</li>`,
  )
  const listens = Object.entries(addresses).map(
    ([kind, address]) => html`<dt>${kinds[kind] ?? kind}</dt><dd><code>${address}</code></dd>`,
  )
  return page({
    title: `Heliograph: ${agent}`,
    body: html`<main class="landing">
<h1>Heliograph <small>${agent}</small></h1>
<ul>${ways}</ul>
<h2>Where it listens</h2>
<dl>${listens}</dl>
</main>`,
  })
}
