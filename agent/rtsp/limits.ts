const KiB = 1024

/** What the RTSP server lets its clients use. Sizes in bytes, times in milliseconds. */
export interface RtspLimits {
  /** Request line and headers of one request. */
  readonly headBytes: number
  readonly headers: number
  readonly bodyBytes: number
  readonly requestsPerSecond: number
  /** What one client may send: requests and reports. */
  readonly bytesPerSecond: number
  /** Connections beyond one for each viewer: those that only ask. */
  readonly spareConnections: number
  /** A connection that has no session for so long is closed. */
  readonly connectionMs: number
  /** A session that was set up and not played for so long ends. */
  readonly setupMs: number
  /** What is announced as `timeout`: a viewer that shows no sign of life for so long is given up. */
  readonly sessionMs: number
  /** A viewer by UDP whose connection closed ends after so long, unless it sends reports. */
  readonly orphanMs: number
  /** DESCRIBE waits so long for the parameter sets of a stream. */
  readonly describeMs: number
  /** DESCRIBE waits so long for a stream whose service is starting. */
  readonly comingMs: number
  /** PLAY waits so long for a key picture before it is answered without its number and time. */
  readonly playMs: number
  /** A stream is wanted so long after nobody watches it any more. */
  readonly lingerMs: number
  /** Least time between two requests for a key picture. */
  readonly keyMs: number
  /** Between two sender reports. */
  readonly reportMs: number
  /** How often times are compared with these limits. */
  readonly sweepMs: number
  readonly nonceMs: number
  /** Wrong passwords on one connection before it is closed. */
  readonly wrongPasswords: number
  /** A wrong password is answered after so long. */
  readonly wrongPasswordMs: number
}

/** For a small machine with a handful of viewers. */
export const defaultRtspLimits: RtspLimits = {
  headBytes: 8 * KiB,
  headers: 64,
  bodyBytes: 4 * KiB,
  requestsPerSecond: 50,
  bytesPerSecond: 512 * KiB,
  spareConnections: 32,
  connectionMs: 10_000,
  setupMs: 10_000,
  sessionMs: 60_000,
  orphanMs: 10_000,
  describeMs: 5000,
  comingMs: 8000,
  playMs: 1000,
  lingerMs: 5000,
  keyMs: 250,
  reportMs: 5000,
  sweepMs: 1000,
  nonceMs: 300_000,
  wrongPasswords: 5,
  wrongPasswordMs: 300,
}
