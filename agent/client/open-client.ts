import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { AgentClient, ClientParts } from './agent-client.ts'

/** Makes a client for a URL; nothing is sent yet over HTTP, over MQTT it is connected and has found its agent. */
type Opening = (parts: ClientParts) => Promise<AgentClient>

const overHttp: Opening = async (parts) => (await import('./http.ts')).httpClient(parts)
const overMqtt: Opening = async (parts) => (await import('./mqtt.ts')).mqttClient(parts)

const doors: Readonly<Record<string, Opening>> = {
  'http:': overHttp,
  'https:': overHttp,
  'mqtt:': overMqtt,
  'mqtts:': overMqtt,
  'ws:': overMqtt,
  'wss:': overMqtt,
}

/** The URL of an agent. @throws AgentError CONFIG_INVALID */
export function agentUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && url.hostname !== '' && Object.hasOwn(doors, url.protocol)) return url
  const known = Object.keys(doors).map((scheme) => `${scheme}//…`)
  throw new AgentError(
    'CONFIG_INVALID',
    `--url '${redact(text)}' must be the address of an agent, such as http://127.0.0.1:8080 or mqtt://127.0.0.1:1883 (known: ${known.join(' ')})`,
  )
}

/** A client of the agent at `parts.url`. @throws AgentError CONFIG_INVALID, AGENT_UNREACHABLE, NOT_AUTHORIZED */
export async function openClient(parts: ClientParts): Promise<AgentClient> {
  const open = doors[agentUrl(parts.url.href).protocol] ?? overHttp
  return open(parts)
}
