/** What sinks get from the service they belong to. */
export interface SinkContext {
  /** Publishes on the agent's broker; false when it was dropped because main fell behind. */
  event(event: {
    readonly path?: string
    readonly topic?: string
    readonly payload: Uint8Array
    readonly qos: 0 | 1
  }): boolean
  /** The only folder that file outputs may write below; absolute. */
  readonly mediaFolder: string
  /** Topics that `mqtt:<topic>` outputs may publish below. */
  readonly topicPrefixes: readonly string[]
  /** Results given up by this sink since it was opened. */
  dropped(): void
}
