import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { commandLine } from '../../../agent/cli/program.ts'
import { DEFAULT_MODEL } from '../../../agent/store/catalog.ts'
import { heliograph, program, scratch } from './heliograph.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

/** What a command line with `--help` prints, without a process of its own. */
async function helpOf(args: readonly string[]): Promise<string> {
  const printed: string[] = []
  const whole = commandLine(version, () => undefined)
  const commands = [whole]
  for (const command of commands) {
    command.configureOutput({ writeOut: (text) => void printed.push(text) }).exitOverride()
    commands.push(...command.commands)
  }
  await expect(whole.parseAsync([...args, '--help'], { from: 'user' })).rejects.toMatchObject({
    code: 'commander.helpDisplayed',
  })
  return printed.join('')
}

describe('help', () => {
  it('is printed by the program', async () => {
    const { code, stdout, stderr } = await heliograph(['run', '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(await helpOf(['run']))
  })

  it.each([
    ['heliograph', []],
    ['heliograph run', ['run']],
    ['heliograph detect', ['detect']],
    ['heliograph models list', ['models', 'list']],
    ['heliograph models pull', ['models', 'pull']],
    ['heliograph config', ['config']],
    ['heliograph ctl', ['ctl']],
    ['heliograph ctl get', ['ctl', 'get']],
    ['heliograph ctl set input', ['ctl', 'set', 'input']],
    ['heliograph ctl set output', ['ctl', 'set', 'output']],
    ['heliograph ctl set model', ['ctl', 'set', 'model']],
    ['heliograph ctl compute', ['ctl', 'compute']],
    ['heliograph ctl watch', ['ctl', 'watch']],
    ['heliograph ctl service list', ['ctl', 'service', 'list']],
    ['heliograph ctl service add', ['ctl', 'service', 'add']],
    ['heliograph ctl service remove', ['ctl', 'service', 'remove']],
    ['heliograph ctl models list', ['ctl', 'models', 'list']],
    ['heliograph ctl models pull', ['ctl', 'models', 'pull']],
    ['heliograph ctl ping', ['ctl', 'ping']],
    ['heliograph schema', ['schema']],
  ])('of `%s` shows how it is used, with an example', async (usage, args) => {
    const stdout = await helpOf([...args])
    expect(stdout).toContain(`Usage: ${usage}`)
    expect(stdout).toMatch(new RegExp(`Examples?:\\n(.*\\n)*?  ${usage}`))
  })

  it('tells the exit codes', async () => {
    for (const args of [[], ['run'], ['detect']]) {
      expect((await heliograph([...args, '--help'])).stdout).toContain('Exit codes: 0 fine, 1 ')
    }
  })

  it('loads neither the agent nor its libraries', async () => {
    const env = { NODE_DEBUG: 'esm' }
    const { stderr } = await heliograph(['--help'], env)
    expect(stderr).toContain('commander')
    expect(stderr).not.toMatch(/typebox|aedes|mqtt|onnxruntime|systeminformation|yaml|pino/)
  })
})

describe('a wrong command line', () => {
  it.each([
    [['rnu'], "unknown command 'rnu'\n(Did you mean run?)"],
    [['run', '--mqtt-prot', '1'], "unknown option '--mqtt-prot'\n(Did you mean --mqtt-port?)"],
    [['detect'], "missing required argument 'file-or-URL'"],
    [['detect', 'a.jpg', '--min-score', '70'], 'must be a number from 0 to 1'],
    [['detect', 'a.jpg', '--fps', 'many'], 'must be a number from'],
    [['detect', 'a.jpg', '--device', 'tpu'], 'Allowed choices are auto, cpu, webgpu'],
    [['detect', 'a.jpg', '--draw', 'out.png'], "--draw 'out.png': must end in .jpg"],
    [['detect', 'a.jpg', 'b.jpg', '--draw', 'out.jpg'], 'need {name} or {seq} in the file name'],
    [['run', '--demo', '--config', 'a.yaml'], "'--demo' cannot be used with option '--config"],
    [['models', 'pull'], "missing required argument 'id'"],
    [['config', '--set', 'broker.port'], 'must be section.key=value'],
    [['config', '--mqtt-port', 'many'], "--mqtt-port: broker.port must be integer; it is 'many'"],
    [['run', '--config', 'gone.yaml'], 'gone.yaml: there is no such file'],
  ])('%j ends with 2 and says what is meant', async (args, expected) => {
    const { code, stdout, stderr } = await heliograph(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(expected)
    expect(stderr).not.toMatch(/^ {4}at /m)
  })

  it('shows a stack only where debugging is asked for', async () => {
    const args = ['config', '--set', 'log.leval=x', '--log-level', 'debug']
    const { stderr } = await heliograph(args)
    expect(stderr).toMatch(/^error CONFIG_INVALID: .*\nMend .*\n/)
    expect(stderr).toMatch(/^ {4}at /m)
  })
})

it('prints the version of the package', async () => {
  expect((await heliograph(['--version'])).stdout).toBe(`${version}\n`)
})

describe('config', () => {
  it('prints a file that it takes back', async () => {
    const file = join(await scratch(), 'printed.yaml')
    const set = ['--set', 'services.gate.input=synthetic:', '--mqtt-port', '1999']
    const printed = await heliograph(['config', '--print', ...set])
    expect(printed.code).toBe(0)
    await writeFile(file, printed.stdout)
    const again = await heliograph(['config', '--print', '--config', file])
    expect(parse(again.stdout)).toEqual(parse(printed.stdout))
    expect(parse(again.stdout)).toMatchObject({
      broker: { port: 1999 },
      services: { gate: { input: 'synthetic:', compute: 'start' } },
    })
  })

  it('says that a configuration is right, and where it comes from', async () => {
    const file = join(await scratch(), 'agent.yaml')
    await writeFile(file, 'agent: {id: gate}\n')
    const { code, stdout } = await heliograph(['config', '--config', file])
    expect(code).toBe(0)
    expect(stdout).toContain(`The configuration is right: from ${file}`)
  })

  it('names every line that is wrong', async () => {
    const file = join(await scratch(), 'agent.yaml')
    await writeFile(file, 'broker:\n  port: x\nlgo: {}\n')
    const { code, stderr } = await heliograph(['config', '--config', file])
    expect(code).toBe(2)
    expect(stderr).toContain(`${file}:2:9: broker.port must be integer`)
    expect(stderr).toContain(`${file}:3:1: there is no setting lgo (did you mean log?)`)
  })
})

describe('models', () => {
  it('are listed with their licence and whether they are here', async () => {
    const cache = { HELIOGRAPH_MODELS_CACHE_FOLDER: await scratch() }
    const { code, stdout } = await heliograph(['models', 'list'], cache)
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^${DEFAULT_MODEL} +absent +Apache-2.0 +SSDLite`, 'm'))
  })

  it('are listed as JSON for programs', async () => {
    const { stdout } = await heliograph(['models', 'list', '--json'])
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ manifest: expect.objectContaining({ id: DEFAULT_MODEL }) }),
    )
  })

  it('that do not exist are refused with the names of those that do', async () => {
    const { code, stderr } = await heliograph(['models', 'pull', 'nope'])
    expect(code).toBe(1)
    expect(stderr).toMatch(`error MODEL_UNKNOWN: no model 'nope' (known: ${DEFAULT_MODEL}`)
  })
})

it.each([
  ['asyncapi', ['schema']],
  ['asyncapi', ['schema', 'asyncapi']],
  ['openapi', ['schema', 'openapi']],
])('prints %s.json as it is checked in', async (name, args) => {
  const { code, stdout } = await heliograph(args)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(`schemas/${name}.json`, 'utf8')))
})

it('ends quietly when its reader goes away', () => {
  const script = `"${process.execPath}" "${program}" schema | head -n 1; echo "\${PIPESTATUS[0]}"`
  const printed = execFileSync('bash', ['-c', script], { encoding: 'utf8', stdio: 'pipe' })
  expect(printed).toBe('{\n0\n')
})
