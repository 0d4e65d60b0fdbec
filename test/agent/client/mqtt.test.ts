import { conformsToAgentClient } from '../../conformance/agent-client.ts'

conformsToAgentClient({ name: 'MQTT', url: ({ addresses }) => addresses.mqtt })
conformsToAgentClient({ name: 'MQTT on a WebSocket', url: ({ addresses }) => addresses.ws })
