const KiB = 1024
const MiB = 1024 * KiB

/** What one broker lets its clients use. Sizes in bytes, times in milliseconds. */
export interface Limits {
  /** Largest first packet of a connection: nobody is known yet. */
  readonly connectBytes: number
  /** Largest PUBLISH; pictures travel by MQTT. */
  readonly publishBytes: number
  /** Largest packet of any other kind. */
  readonly otherBytes: number
  /** Time from the connection to its CONNECT. */
  readonly connectMs: number
  readonly clients: number
  readonly clientIdLength: number
  readonly topicLength: number
  readonly topicLevels: number
  readonly filtersPerClient: number
  /** A subscriber with more than this unsent loses QoS 0 messages. */
  readonly dropPastBytes: number
  /** A subscriber with more than this unsent is disconnected by the next message of QoS 1 or 2. */
  readonly closePastBytes: number
  /** Retained messages of clients; the agent's own do not count. */
  readonly retainedCount: number
  readonly retainedBytes: number
  /** Sessions that outlive their connection (clean = 0). */
  readonly sessions: number
  readonly queuedCount: number
  readonly queuedBytes: number
  /** Of all sessions together. */
  readonly allQueuedBytes: number
  /** QoS 2 publishes of one client that wait for their PUBREL. */
  readonly openHandshakes: number
}

/** For an agent on a small machine with one hall of cameras and a handful of dashboards. */
export const defaultLimits: Limits = {
  connectBytes: 16 * KiB,
  publishBytes: 2 * MiB,
  otherBytes: 64 * KiB,
  connectMs: 10_000,
  clients: 1000,
  clientIdLength: 128,
  topicLength: 512,
  topicLevels: 32,
  filtersPerClient: 500,
  dropPastBytes: 512 * KiB,
  // 1 MiB, and room for one largest packet: a picture that was just written is no sign of a laggard.
  closePastBytes: 3 * MiB,
  retainedCount: 10_000,
  retainedBytes: 64 * MiB,
  sessions: 500,
  queuedCount: 1000,
  // Less than `closePastBytes`, or the queue itself would disconnect a client that comes back.
  queuedBytes: 1 * MiB,
  allQueuedBytes: 64 * MiB,
  openHandshakes: 1000,
}
