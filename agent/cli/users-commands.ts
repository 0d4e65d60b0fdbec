import { type Command, Option } from 'commander'
import { addConfigFlags } from './config-flags.ts'
import type { UsersFlags } from './users.ts'

/** Adds the commands that edit the users file; a running agent follows it. */
export function addUsers(program: Command): void {
  const users = program.command('users').description('say who may use the agent over HTTP')
  const add = users
    .command('add')
    .description('make a user, or another token for one; prints the token once')
    .argument('<name>', 'letters, digits and . _ @ -')
    .addOption(
      new Option('--role <role>', 'what the user may do').choices(['viewer', 'operator', 'admin']),
    )
  withFile(add, 'heliograph users add ann --role operator').action(
    async (name: string, flags: UsersFlags & { role?: string }) =>
      (await import('./users.ts')).addUser(name, flags),
  )
  const list = users.command('list').description('print who is there, and what they may do')
  withFile(list, 'heliograph users list').action(async (flags: UsersFlags) =>
    (await import('./users.ts')).listUsers(flags),
  )
  const remove = users
    .command('remove')
    .description('remove a user and all its tokens, at once')
    .argument('<name>', 'as in: heliograph users list')
  withFile(remove, 'heliograph users remove ann').action(async (name: string, flags: UsersFlags) =>
    (await import('./users.ts')).removeUser(name, flags),
  )
}

function withFile(command: Command, example: string): Command {
  command.option('--file <file>', 'the users file (default: users.file of the configuration)')
  return addConfigFlags(command, []).addHelpText('after', `\nExample:\n  ${example}`)
}
