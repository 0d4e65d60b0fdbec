import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from '../../../e2e/agent-under-test.ts'
import { heliograph, program, scratch, start } from '../heliograph.ts'

let agent: AgentUnderTest
type Door = 'HTTP' | 'MQTT'

const urlOf = (door: Door) =>
  door === 'HTTP' ? agent.running.addresses.http : agent.running.addresses.mqtt
const ctl = (door: Door, ...args: string[]) =>
  heliograph(['ctl', ...args], { HELIOGRAPH_URL: urlOf(door) })

beforeAll(async () => {
  agent = await startAgentUnderTest({
    'services.gate.input': JSON.stringify({ clip: { url: media('dog.mp4'), loop: true } }),
    'services.gate.compute': 'stop',
  })
})
afterAll(() => agent.stop())

// Each call is a process; test/agent/client shows that both doors do the same.
describe('ctl', { timeout: 60_000 }, () => {
  const door = 'HTTP'

  it('prints tables for people and JSON for programs', async () => {
    const table = await ctl(door, 'get')
    expect(table).toMatchObject({ code: 0, stderr: '' })
    expect(table.stdout).toMatch(/^SERVICE +COMPUTE +STATE.*\ngate +stop +idle +ssdlite/)
    const json = await ctl(door, 'get', 'service', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ service: 'gate', state: { state: 'idle' } })
  })

  it('sets inputs by arguments, single options, and from a file', async () => {
    const made = await ctl(door, 'service', 'add', 'set', '--stopped', '--input', 'a=synthetic:')
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const set = (...args: string[]) => ctl(door, 'set', 'input', '--service', 'set', ...args)
    expect((await set('a.fps=5', 'b=mqtt:cam/b')).stdout).toMatch(
      /a +closed +- +synthetic: {2}fps=5\nb +closed/,
    )
    const file = join(await scratch(), 'inputs.json')
    await writeFile(file, '{"c": {"url": "synthetic:", "fps": 1}}')
    const replaced = await set('-f', file, '--replace', '--json')
    expect(Object.keys(JSON.parse(replaced.stdout))).toEqual(['c'])
    const alone = await set('synthetic:', 'default.fps=3', '--json')
    expect(JSON.parse(alone.stdout)).toMatchObject({ default: { url: 'synthetic:', fps: 3 } })
    const removed = await ctl(door, 'service', 'remove', 'set')
    expect(removed).toMatchObject({ code: 0, stdout: "service 'set' is gone\n" })
  })

  it('reads what to set from standard input', async () => {
    const change = '{"options": {"minScore": 0.55}}'
    const script = `echo '${change}' | "$NODE" "$PROGRAM" ctl set model - --json`
    const paths = { NODE: process.execPath, PROGRAM: program }
    const env = { ...process.env, ...paths, HELIOGRAPH_URL: urlOf(door) }
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
    expect(JSON.parse(stdout)).toMatchObject({ options: { minScore: 0.55 } })
  })

  it('adds, changes and removes outputs', async () => {
    const set = (...args: string[]) => ctl(door, 'set', 'output', '--json', ...args)
    const more = await set('people=mqtt:', 'people.labels=person,dog', 'people.minScore=0.6')
    expect(JSON.parse(more.stdout)).toMatchObject({
      events: { url: 'mqtt:' },
      people: { url: 'mqtt:', labels: ['person', 'dog'], minScore: 0.6 },
    })
    const fewer = await set('--remove', 'people')
    expect(Object.keys(JSON.parse(fewer.stdout))).toEqual(['events', 'video'])
  })

  it('infers once and prints the boxes', async () => {
    const args = ['compute', 'once', '--input', media('dog.jpg'), '--tag', 'dog']
    const table = await ctl(door, ...args)
    expect(table).toMatchObject({ code: 0, stderr: '' })
    expect(table.stdout).toMatch(/^dog +dog +\d+ % +\d+ \d+ \d+ \d+$/m)
    const [line = ''] = (await ctl(door, ...args, '--json')).stdout.split('\n')
    expect(JSON.parse(line)).toMatchObject({ tag: 'dog', items: [{ label: 'dog' }] })
  })

  it('ends with 1 where the agent refuses, saying what helps', async () => {
    const { code, stdout, stderr } = await ctl(door, 'set', 'input', 'gopher://x')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error SOURCE_UNSUPPORTED: .*gopher.*\nUse one of the schemes/)
  })

  it('pulls a model and says how far it is', async () => {
    const { code, stdout, stderr } = await ctl(door, 'models', 'pull', 'ssdlite-mobilenet-v2-coco')
    expect(code).toBe(0)
    expect(stdout).toMatch(/is ready on the agent\nsha256 [0-9a-f]{64}\n$/)
    expect(stderr).toContain('ssdlite-mobilenet-v2-coco: fetching')
  })

  it('starts, watches what is seen, and stops', async () => {
    expect((await ctl(door, 'compute', 'start')).stdout).toMatch(/^compute +start\n/)
    const seen = await ctl(door, 'watch', '--json', '--count', '3')
    expect(seen).toMatchObject({ code: 0, stderr: '' })
    const events = seen.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events).toHaveLength(3)
    expect(events[0]).toMatchObject({
      service: 'gate',
      kind: 'detections',
      data: { input: 'clip', items: expect.any(Array) },
    })
    expect((await ctl(door, 'compute', 'stop')).stdout).toMatch(/^compute +stop\n/)
  })

  it('watches until Ctrl-C', async () => {
    const watching = start(['ctl', 'watch', 'state'], { HELIOGRAPH_URL: urlOf(door) })
    await watching.prints(/state +gate +idle/)
    watching.process.kill('SIGINT')
    expect(await watching.ended).toMatchObject({ code: 130, stderr: '' })
  })

  it('sends pictures', async () => {
    const { stdout } = await ctl(door, 'compute', media('dog.jpg'), media('street.jpg'))
    expect(stdout).toMatch(/^dog\.jpg +dog +\d+ %/m)
    expect(stdout).toMatch(/^street\.jpg +car +\d+ %/m)
  })

  it('pings', async () => {
    const { stdout } = await ctl(door, 'ping', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ boot: expect.any(String), ms: expect.any(Number) })
  })
})

describe('ctl over MQTT', { timeout: 60_000 }, () => {
  it('shows, sets and pings', async () => {
    expect((await ctl('MQTT', 'ping')).code).toBe(0)
    expect((await ctl('MQTT', 'set', 'model', '--option', 'minScore=0.55')).code).toBe(0)
    const { stdout } = await ctl('MQTT', 'get', 'model', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ options: { minScore: 0.55 } })
  })
})

describe('ctl over HTTP', { timeout: 60_000 }, () => {
  it.each([
    ['input', 'clip'],
    ['output', 'events'],
    ['model', 'ssdlite'],
    ['compute', 'compute  stop'],
    ['state', 'idle'],
    ['models', 'Apache-2.0'],
    ['info', 'lab'],
  ])('gets %s', async (what, expected) => {
    const { code, stdout, stderr } = await ctl('HTTP', 'get', what)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(expected)
  })

  it('saves pictures with their boxes', async () => {
    const folder = await scratch()
    const pictures = [media('dog.jpg'), media('street.jpg')]
    const draw = join(folder, 'seen', '{name}.jpg')
    const { code, stderr } = await ctl('HTTP', 'compute', ...pictures, '--draw', draw)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of ['dog.jpg', 'street.jpg']) {
      const { format, width, height } = await sharp(join(folder, 'seen', name)).metadata()
      const sent = await sharp(media(name)).metadata()
      expect({ format, width, height }).toEqual({
        format: 'jpeg',
        width: sent.width,
        height: sent.height,
      })
    }
  })

  it('sends a video, prints a line for each frame as it comes, and ends with its reader', async () => {
    const script = '"$NODE" "$PROGRAM" ctl compute "$VIDEO" --json | head -n 3; echo "$PIPESTATUS"'
    const env = {
      ...process.env,
      ...{ NODE: process.execPath, PROGRAM: program, VIDEO: media('dog.mp4') },
      HELIOGRAPH_URL: urlOf('HTTP'),
    }
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
    const [code, ...lines] = stdout.trim().split('\n').toReversed()
    expect(code).toBe('0')
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual([2, 1, 0])
  })

  it('changes only what is still as it was', async () => {
    const tag = (await ctl('HTTP', 'get', 'model', '--etag')).stdout.trim()
    expect(tag).toMatch(/^".+"$/)
    const set = (score: string) =>
      ctl('HTTP', 'set', 'model', '--option', `minScore=${score}`, '--if-match', tag)
    expect(await set('0.41')).toMatchObject({ code: 0 })
    const late = await set('0.42')
    expect(late).toMatchObject({ code: 1, stdout: '' })
    expect(late.stderr).toMatch(/^error CONFLICT: If-Match/)
    const { stdout } = await ctl('HTTP', 'get', 'model', '--json')
    expect(JSON.parse(stdout).options).toMatchObject({ minScore: 0.41 })
  })
})

describe('a command line of ctl that is wrong', () => {
  it.each([
    [['get', 'inputs'], 'Allowed choices are services, service, input'],
    [['get', '--url', 'ftp://x'], "--url 'ftp://x' must be the address of an agent"],
    [['get', '--timeout', '0'], 'must be a number above 0'],
    [['set', 'input'], 'nothing to set: name a URL'],
    [['set', 'output', 'mqtt:'], "'mqtt:' must be id=url"],
    [['set', 'model'], 'nothing to set: name a model'],
    [['set', 'input', '-f', '/gone.json'], "cannot read '/gone.json'"],
    [['compute', 'stop', '--tag', 'x'], "--input and --tag are for 'once'"],
    [['compute', 'start', 'a.jpg'], "'start' stands alone"],
    [['compute', '/gone.jpg'], "cannot read '/gone.jpg'"],
    [['compute', program, '--draw', 'out.png'], "--draw 'out.png': must end in .jpg"],
    [['compute', program, program, '--draw', 'out.jpg'], 'need {name} or {seq}'],
    [['watch', '--count', 'x'], 'must be a number above 0'],
    [['service', 'add', 'x', '--input', 'a:', '--input', 'b:'], 'several inputs need ids'],
    [['service', 'add'], "missing required argument 'id'"],
  ])('%j ends with 2 and says what is meant', async (args, expected) => {
    const { code, stdout, stderr } = await heliograph(['ctl', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(expected)
    expect(stderr).not.toMatch(/^ {4}at /m)
  })

  it.each(['http', 'mqtt', 'ws'])('tells that no agent is at %s://', async (scheme) => {
    const url = `${scheme}://me:hush@127.0.0.1:1`
    const { code, stdout, stderr } = await heliograph([
      'ctl',
      'get',
      '--url',
      url,
      '--token',
      'abc-xyz',
    ])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^error AGENT_UNREACHABLE: .*127\.0\.0\.1:1.*nothing listens there\nCheck that it runs/,
    )
    expect(stderr).not.toMatch(/hush|abc-xyz/)
  })
})

it('leaves the configuration of an agent alone with its own variables', async () => {
  const { code } = await heliograph(['config'], { HELIOGRAPH_URL: 'x', HELIOGRAPH_TOKEN: 'y' })
  expect(code).toBe(0)
})

it('never shows the token that the environment holds', async () => {
  const { stdout } = await heliograph(['ctl', 'get', '--help'], { HELIOGRAPH_TOKEN: 'abc-xyz' })
  expect(stdout).toContain('HELIOGRAPH_TOKEN')
  expect(stdout).not.toContain('abc-xyz')
})
