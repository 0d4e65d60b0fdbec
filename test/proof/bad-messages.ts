import type { ErrorCode } from '../../schemas/errors.ts'

/** A message that must be refused, and the answer it must get. */
export interface BadMessage {
  readonly kind: string
  /** Below `<root>/1/<agent>/`. */
  readonly path: string
  readonly payload: string | Uint8Array
  readonly retain?: boolean
  readonly code: ErrorCode
  /** Where the answer is due: the error topic of the service that its topic names, or of the agent, or the `replyTo`. */
  readonly answer: 'a/error' | 'ghost/error' | '$error' | 'reply'
}

/** Below `<root>/1/`. */
export const REPLY_PATH = '$reply/proof'

/** A topic that a confused agent could be made to publish on. */
export const FOREIGN_TOPIC = 'proof/foreign'

interface Fields {
  readonly id: string
  readonly replyTo?: string
  readonly ttlMs?: number
  readonly deadline?: number
}

function envelope(fields: Fields, args: unknown): string {
  return JSON.stringify({ v: 1, ...fields, args })
}

/** Twenty messages, each wrong in its own way. The clip's URL is a good one. */
export function badMessages(root: string, clip: string): readonly BadMessage[] {
  const replyTo = `${root}/1/${REPLY_PATH}`
  const invalid = { code: 'MESSAGE_INVALID', answer: 'a/error' } as const
  const asked = (kind: string, code: ErrorCode, path: string, args: unknown): BadMessage => ({
    kind,
    path,
    payload: envelope({ id: kind, replyTo }, args),
    code,
    answer: 'reply',
  })
  return [
    { kind: 'not JSON', path: 'a/output/set', payload: '{"extra": ', ...invalid },
    { kind: 'not UTF-8', path: 'a/compute', payload: Uint8Array.of(0x7b, 0xff, 0xfe), ...invalid },
    { kind: 'a list', path: 'a/output/set', payload: '[1, 2]', ...invalid },
    { kind: 'a number', path: 'a/model/set', payload: '5', ...invalid },
    { kind: 'unknown action', path: 'a/compute', payload: '{"action": "dance"}', ...invalid },
    { kind: 'wrong type', path: 'a/input/set', payload: '{"clip": {"url": 5}}', ...invalid },
    {
      kind: 'out of range',
      path: 'a/input/set',
      payload: JSON.stringify({ clip: { url: clip, fps: -1 } }),
      ...invalid,
    },
    { kind: 'reserved id', path: 'a/input/set', payload: `{"deadline": "${clip}"}`, ...invalid },
    { kind: 'no id', path: 'a/input/set', payload: `{"Not An Id": "${clip}"}`, ...invalid },
    {
      kind: 'oversize',
      path: 'a/input/set',
      payload: JSON.stringify({ clip: `file:///${'x'.repeat(1_600_000)}` }),
      ...invalid,
    },
    {
      kind: 'too many inputs',
      path: 'a/input/set',
      payload: JSON.stringify(
        Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`i${at}`, clip])),
      ),
      code: 'LIMIT_EXCEEDED',
      answer: 'a/error',
    },
    {
      kind: 'retained command',
      path: 'a/compute',
      payload: '{"action": "stop"}',
      retain: true,
      code: 'NOT_AUTHORIZED',
      answer: 'a/error',
    },
    {
      kind: "the agent's own topic",
      path: 'a/state',
      payload: '{"state": "failed", "since": 0}',
      code: 'NOT_AUTHORIZED',
      answer: 'a/error',
    },
    {
      kind: 'foreign replyTo',
      path: 'a/compute',
      payload: envelope({ id: 'foreign', replyTo: FOREIGN_TOPIC }, { action: 'stop' }),
      code: 'NOT_AUTHORIZED',
      answer: 'a/error',
    },
    {
      kind: 'past its deadline',
      path: 'a/compute',
      payload: envelope({ id: 'late', replyTo, deadline: 1 }, { action: 'stop' }),
      code: 'DEADLINE_EXCEEDED',
      answer: 'reply',
    },
    asked('forbidden source', 'SOURCE_FORBIDDEN', 'a/compute', {
      action: 'once',
      input: 'file:///etc/passwd',
    }),
    asked('unsupported source', 'SOURCE_UNSUPPORTED', 'a/compute', {
      action: 'once',
      input: 'gopher://example.org/picture',
    }),
    asked('unknown model', 'MODEL_UNKNOWN', 'a/model/set', 'no-such-model'),
    {
      kind: 'unknown service',
      path: 'ghost/compute',
      payload: '',
      code: 'NOT_FOUND',
      answer: 'ghost/error',
    },
    {
      kind: 'unknown command',
      path: '$cmd/dance',
      payload: '{}',
      code: 'NOT_FOUND',
      answer: '$error',
    },
  ]
}
