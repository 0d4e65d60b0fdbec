import Type, { type Static } from './typebox.ts'

/** A request that wants a reply, is bounded in time, or must not be done twice. */
export const Envelope = Type.Object({
  v: Type.Optional(Type.Literal(1)),
  id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  replyTo: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  ttlMs: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400_000 })),
  deadline: Type.Optional(Type.Number({ description: 'Unix ms.' })),
  args: Type.Unknown(),
})
export type Envelope = Static<typeof Envelope>

/** The answer to an envelope, on its `replyTo`. */
export const Reply = Type.Object({
  v: Type.Literal(1),
  id: Type.Optional(Type.String()),
  agent: Type.String(),
  status: Type.Enum(['ok', 'error', 'accepted']),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
  retryable: Type.Optional(Type.Boolean()),
  data: Type.Optional(Type.Unknown()),
})
export type Reply = Static<typeof Reply>
