/** What a failure means and what mends it, for people. */
interface ErrorDoc {
  readonly meaning: string
  readonly cure: string
}

/**
 * Every error code on the wire, with its cure. A closed list: within version 1, only ever add.
 * README.md documents each; a test compares the two.
 */
export const errorCodes = {
  CONFIG_INVALID: {
    meaning: 'The configuration file, a flag or an environment variable is wrong.',
    cure: 'Mend the line that the message names; `heliograph config --print` shows what is in effect.',
  },
  MESSAGE_INVALID: {
    meaning: 'A message is not what its topic carries.',
    cure: 'The message says which field is wrong and what is allowed; see schemas/asyncapi.json.',
  },
  NOT_AUTHORIZED: {
    meaning: 'The caller may not do this.',
    cure: "Over HTTP: come by a host and an origin that are listed, with a token of a user whose role suffices. Over MQTT: publish on control topics only, never retained, and keep `replyTo` below the agent's `$reply` topic.",
  },
  NOT_FOUND: {
    meaning: 'No service, input, output or command has this name.',
    cure: 'The message lists the names that exist.',
  },
  CONFLICT: {
    meaning: 'The request contradicts what is there now.',
    cure: 'Read the retained state, then ask again.',
  },
  AGENT_UNREACHABLE: {
    meaning: 'No agent answers where a client looks for one.',
    cure: 'Check that it runs (`heliograph run`) and that --url names its host and port; it prints both when it starts.',
  },
  SOURCE_UNSUPPORTED: {
    meaning: 'No source reads this URL or this kind of data.',
    cure: 'Use one of the schemes that the message lists.',
  },
  SOURCE_FORBIDDEN: {
    meaning: 'The URL points outside the folders or addresses that the agent may read.',
    cure: 'Move the file below a configured root, or extend `sources.roots` or `sources.addresses`.',
  },
  SOURCE_UNREACHABLE: {
    meaning: 'The source does not exist or does not answer.',
    cure: 'Check the path or that the camera is on; the agent retries by itself where that can help.',
  },
  SOURCE_DECODE: {
    meaning: 'The source answers, but its data is damaged or not what it claims to be.',
    cure: 'Try it with ffprobe; re-encode the file.',
  },
  MODEL_UNKNOWN: {
    meaning: 'No model has this id.',
    cure: '`heliograph models list` shows the ids that exist.',
  },
  MODEL_LOAD: {
    meaning: 'The model could not be fetched, converted or loaded.',
    cure: 'The message names the step that failed; without network, run `heliograph models pull` elsewhere and copy the cache.',
  },
  MODEL_INTEGRITY: {
    meaning: 'A downloaded model file does not have the pinned checksum.',
    cure: 'Delete it from the cache and pull again; if it repeats, the source has changed: do not trust it.',
  },
  BACKEND_UNAVAILABLE: {
    meaning: 'The requested device or runtime is not on this machine.',
    cure: 'Ask for one of the devices that the message lists, or for `auto`.',
  },
  INFERENCE_FAILED: {
    meaning: 'The model ran and failed on this sample.',
    cure: 'Check that the manifest matches the model; the sample is skipped, the next one is tried.',
  },
  SINK_UNSUPPORTED: {
    meaning: 'No output writes to this URL.',
    cure: 'Use one of the schemes that the message lists.',
  },
  SINK_FORBIDDEN: {
    meaning:
      'The output points outside the folder, topics or addresses that the agent may write to.',
    cure: 'Write below the media folder, or below a configured topic prefix.',
  },
  SINK_FAILED: {
    meaning: 'An output could not be opened or written, or was closed before all was delivered.',
    cure: 'The message says why (disk full, no permission); the agent retries by itself.',
  },
  TIMEOUT: {
    meaning: 'Something took longer than it may.',
    cure: 'Try again, or raise the limit that the message names.',
  },
  DEADLINE_EXCEEDED: {
    meaning:
      'The command arrived after its deadline or outlived its `ttlMs`, and was not carried out.',
    cure: 'Send it again with more time, or check the clock of the sender.',
  },
  LIMIT_EXCEEDED: {
    meaning: 'A limit on size, count or rate was reached.',
    cure: 'Send less, or raise the limit that the message names.',
  },
  SERVICE_CRASHED: {
    meaning:
      'The process of the service ended by a fault in native code, hung and was ended, or did not stop in order.',
    cure: 'It restarts by itself; an input that crashed it twice stays off until it is set again.',
  },
  INTERNAL: {
    meaning: 'A fault in Heliograph itself.',
    cure: 'Please report it with the message and the log.',
  },
} as const satisfies Record<string, ErrorDoc>

/** A stable failure code of the wire contract. */
export type ErrorCode = keyof typeof errorCodes
