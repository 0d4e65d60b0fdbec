import type { Limits } from './limits.ts'

/** The QoS 2 publishes of each client between PUBLISH and PUBREL (MQTT 3.1.1, section 4.3.3). */
export interface Handshakes {
  open(clientId: string, messageId: number): 'new' | 'duplicate' | 'full'
  has(clientId: string, messageId: number): boolean
  close(clientId: string, messageId: number): void
  clear(clientId: string): void
}

/** @param connected whether a client is there now; the handshakes of a client in use are never given up. */
export function handshakes(limits: Limits, connected: (clientId: string) => boolean): Handshakes {
  const all = new Map<string, Set<number>>()

  function of(clientId: string): Set<number> {
    const existing = all.get(clientId)
    if (existing) return existing
    const oldest =
      all.size < limits.sessions ? undefined : [...all.keys()].find((id) => !connected(id))
    if (oldest !== undefined) all.delete(oldest)
    const created = new Set<number>()
    all.set(clientId, created)
    return created
  }

  return {
    open(clientId, messageId) {
      const ids = of(clientId)
      if (ids.has(messageId)) return 'duplicate'
      if (ids.size >= limits.openHandshakes) return 'full'
      ids.add(messageId)
      return 'new'
    },
    has: (clientId, messageId) => all.get(clientId)?.has(messageId) === true,
    close(clientId, messageId) {
      const ids = all.get(clientId)
      ids?.delete(messageId)
      if (ids?.size === 0) all.delete(clientId)
    },
    clear: (clientId) => void all.delete(clientId),
  }
}
