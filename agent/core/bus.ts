/** What a client published, as the broker hands it to the agent. */
export interface Arrival {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retained: boolean
  /** The MQTT client's id and, where clients authenticate, its user. */
  readonly client: string
  readonly user?: string
  /** `performance.now()` when the broker got it. */
  readonly arrivedAt: number
}

/** Where one event goes, and how it is delivered. */
export interface Delivery {
  readonly qos: 0 | 1
  readonly retain: boolean
}

/**
 * The agent's view of its broker. `publish` never waits and never throws: a full subscriber is the
 * broker's business.
 */
export interface Bus {
  publish(topic: string, payload: Uint8Array | string, delivery: Delivery): void
  /** Takes every control message that passed the broker's guard, in arrival order. */
  onControl(take: (arrival: Arrival) => void): void
  /** Takes publishes that the guard refused: acknowledged, not forwarded, not stored. */
  onRefused(take: (arrival: Arrival, reason: string) => void): void
  /** Takes the filters that connected clients hold, now and whenever they change. */
  onFilters(take: (filters: ReadonlySet<string>) => void): void
  /** Takes what clients publish on `filter` (an MQTT topic filter); returns how to stop. */
  subscribe(filter: string, take: (arrival: Arrival) => void): () => void
}
