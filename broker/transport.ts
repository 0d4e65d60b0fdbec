/** What receives from a transport. */
export interface Receiver {
  data(bytes: Buffer): void
  /** Nothing more will come, for whatever reason. Called once. */
  closed(): void
}

/** A connected byte stream to one client: TCP, or the messages of a WebSocket. */
export interface Transport {
  readonly kind: 'tcp' | 'websocket'
  listen(receiver: Receiver): void
  /** Sends in order; `sent` is called when the operating system has taken all of it. */
  send(chunks: readonly Buffer[], sent: (error?: Error | null) => void): void
  pause(): void
  resume(): void
  /** Closes after what was sent. */
  end(): void
  destroy(): void
}

const smallBytes = 16 * 1024
const joinedBytes = 64 * 1024

/**
 * Joins neighbours of less than 16 KiB: an MQTT packet is written in five pieces, and many packets
 * wait together. Large ones stay as they are, because they are shared between subscribers.
 */
export function joinSmall(chunks: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = []
  let run: Buffer[] = []
  let runBytes = 0
  function flush(): void {
    const [only, ...others] = run
    if (only) joined.push(others.length === 0 ? only : Buffer.concat(run, runBytes))
    run = []
    runBytes = 0
  }
  for (const chunk of chunks) {
    if (runBytes + chunk.length > joinedBytes) flush()
    if (chunk.length < smallBytes) {
      run.push(chunk)
      runBytes += chunk.length
    } else {
      flush()
      joined.push(chunk)
    }
  }
  flush()
  return joined
}
