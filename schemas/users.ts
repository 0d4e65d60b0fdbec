import type { Role } from './route.ts'
import Type, { type Static } from './typebox.ts'

/** A role that somebody can have, the least first: each may do what the ones before it may. */
export const userRoles = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[]
export type UserRole = (typeof userRoles)[number]

/** What a name may be, in words. */
export const userNameRule = 'letters, digits and . _ @ -, at most 64, first a letter or a digit'

/** One user. Names are levels of topics, too. */
export const User = Type.Object({
  name: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$',
    description: userNameRule,
  }),
  role: Type.Enum([...userRoles]),
  tokens: Type.Optional(
    Type.Array(Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }), {
      description: 'Hashes of tokens; each is good.',
    }),
  ),
  password: Type.Optional(
    Type.String({
      pattern: '^\\$scrypt\\$ln=\\d+,r=\\d+,p=\\d+\\$[A-Za-z0-9+/]+\\$[A-Za-z0-9+/]+$',
      description: 'Hash of the password for MQTT, as PHC string.',
    }),
  ),
})
export type User = Static<typeof User>

/** The users file, in JSON or YAML. */
export const UsersFile = Type.Object({ users: Type.Array(User, { maxItems: 10_000 }) })
