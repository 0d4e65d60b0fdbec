import { conformsToAgentClient } from '../../conformance/agent-client.ts'

conformsToAgentClient({ name: 'HTTP', url: ({ addresses }) => addresses.http })
