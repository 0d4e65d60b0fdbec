import { conformsToAgentClient } from '../../conformance/agent-client.ts'

conformsToAgentClient({
  name: 'HTTP',
  url: ({ addresses }) => addresses.http,
  // Until the agent has GET /services/{service}/events and POST /compute.
  lacks: ['watch', 'infer'],
})
