import { check } from '../../schemas/decode.ts'
import { User, type UserRole, userNameRule, userRoles } from '../../schemas/users.ts'
import { newToken, tokenHash } from '../access/tokens.ts'
import { editUsers, readUsers } from '../access/users-file.ts'
import { AgentError } from '../core/errors.ts'
import type { ConfigFlags } from './config-flags.ts'
import { configOf } from './load.ts'

/** Flags of the `users` commands. */
export interface UsersFlags extends ConfigFlags {
  readonly file?: string
}

/** Makes a user, or gives one that is there another token; prints the token, which is shown nowhere again. */
export async function addUser(name: string, flags: UsersFlags & { readonly role?: string }) {
  const file = await usersFile(flags)
  if (!check(User.properties.name, name).ok) {
    throw new AgentError('CONFIG_INVALID', `no user can be called '${name}': ${userNameRule}`)
  }
  const token = newToken()
  const hash = tokenHash(token)
  await editUsers(file, (users) => {
    const known = users.find((user) => user.name === name)
    const role = roleOf(flags.role ?? known?.role)
    if (!known) return [...users, { name, role, tokens: [hash] }]
    if (known.role !== role) {
      const message = `'${name}' is ${known.role}; to make it ${role}, remove it first`
      throw new AgentError('CONFLICT', message)
    }
    const more = { ...known, tokens: [...(known.tokens ?? []), hash] }
    return users.map((user) => (user === known ? more : user))
  })
  process.stderr.write(`The token of '${name}', shown this once:\n`)
  process.stdout.write(`${token}\n`)
}

/** Prints the users. */
export async function listUsers(flags: UsersFlags): Promise<void> {
  const { users } = await readUsers(await usersFile(flags))
  const width = Math.max(4, ...users.map(({ name }) => name.length))
  const line = (name: string, role: string, tokens: string | number) =>
    `${name.padEnd(width)}  ${role.padEnd(8)}  ${tokens}\n`
  const lines = users.map(({ name, role, tokens = [] }) => line(name, role, tokens.length))
  process.stdout.write([line('NAME', 'ROLE', 'TOKENS'), ...lines].join(''))
}

/** Removes a user with all its tokens. */
export async function removeUser(name: string, flags: UsersFlags): Promise<void> {
  await editUsers(await usersFile(flags), (users) => {
    const others = users.filter((user) => user.name !== name)
    if (others.length < users.length) return others
    const known = users.map((user) => user.name).join(' ') || 'none'
    throw new AgentError('NOT_FOUND', `no user '${name}' (known: ${known})`)
  })
  process.stderr.write(`'${name}' is removed.\n`)
}

async function usersFile(flags: UsersFlags): Promise<string> {
  const set = flags.file === undefined ? [] : [`users.file=${flags.file}`]
  const { users } = await configOf({ ...flags, set: [...(flags.set ?? []), ...set] })
  if (users.file !== '') return users.file
  const cure = 'set it in the configuration, or name one with --file'
  throw new AgentError('CONFIG_INVALID', `users.file is not set: ${cure}`)
}

function roleOf(text: string | undefined): UserRole {
  const role = userRoles.find((one) => one === text)
  if (role) return role
  throw new AgentError('CONFIG_INVALID', `--role must be one of ${userRoles.join(', ')}`)
}
