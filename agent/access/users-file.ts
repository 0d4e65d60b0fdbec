import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { check } from '../../schemas/decode.ts'
import { type User, UsersFile } from '../../schemas/users.ts'
import { AgentError } from '../core/errors.ts'

/** What a users file says. */
export interface UsersRead {
  readonly users: readonly User[]
  /** Others than its owner may read it. */
  readonly exposed: boolean
}

/** Reads and checks a users file. @throws AgentError CONFIG_INVALID, with what mends it */
export async function readUsers(file: string): Promise<UsersRead> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const cure = '`heliograph users add <name> --role admin` makes it'
    const why = error.code === 'ENOENT' ? `there is no such file; ${cure}` : error.message
    throw new AgentError('CONFIG_INVALID', `users.file: ${file}: ${why}`, { cause: error })
  })
  const { mode } = await stat(file)
  return { users: await usersIn(text, file), exposed: (mode & 0o077) !== 0 }
}

async function usersIn(text: string, file: string): Promise<readonly User[]> {
  const wrong = (what: string, cause?: unknown) =>
    new AgentError('CONFIG_INVALID', `users.file: ${file}: ${what}`, { cause })
  const decoded = check(UsersFile, await parsed(text, wrong))
  if (!decoded.ok) throw wrong(decoded.problem)
  const [unknown] = decoded.unknown
  if (unknown) throw wrong(`there is no field ${unknown}`)
  const { users } = decoded.value
  const names = users.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice) throw wrong(`two users are called '${twice}'`)
  return users
}

/** JSON first: the parser of YAML costs 8 MB. */
async function parsed(text: string, wrong: (what: string, cause: unknown) => Error) {
  try {
    return JSON.parse(text)
  } catch {
    const { parse } = await import('yaml')
    try {
      return parse(text)
    } catch (cause) {
      throw wrong(`it is neither JSON nor YAML: ${String(cause).split('\n')[0]}`, cause)
    }
  }
}

/**
 * Replaces the users of the file, which becomes readable by its owner only; comments above `users` stay. Without a file,
 * it starts with none. @throws AgentError CONFIG_INVALID; CONFLICT: another command edits it
 */
export async function editUsers(
  file: string,
  change: (users: readonly User[]) => readonly User[],
): Promise<void> {
  const temporary = `${file}.new`
  // It is the lock, too: two commands at once would lose what one of them did.
  const handle = await open(temporary, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const busy = `another command edits it, or has crashed: then remove ${temporary}`
    if (cause.code === 'EEXIST') throw new AgentError('CONFLICT', `${file}: ${busy}`, { cause })
    throw new AgentError('CONFIG_INVALID', `users.file: ${file}: ${cause.message}`, { cause })
  })
  try {
    const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    const users = change(before === undefined ? [] : await usersIn(before, file))
    await handle.writeFile(await written(file, before, users))
    await handle.datasync()
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

async function written(file: string, before: string | undefined, users: readonly User[]) {
  const isJson = before === undefined ? !/\.ya?ml$/.test(file) : /^\s*\{/.test(before)
  if (isJson) return `${JSON.stringify({ users }, null, 2)}\n`
  const { parseDocument } = await import('yaml')
  const document = parseDocument(before ?? 'users: []\n')
  document.set('users', document.createNode(users))
  return document.toString({ lineWidth: 0 })
}
