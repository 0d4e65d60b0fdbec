import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageFolder } from '../../agent/config/folders.ts'
import { type FlagValue, parseSet } from '../../agent/config/text.ts'
import { type ConfigParts, configFile, loadConfig } from '../../agent/config.ts'
import { AgentError } from '../../agent/core/errors.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-config-'))
})

afterEach(() => rm(folder, { recursive: true }))

const write = (text: string, name = 'heliograph.yaml') => writeFile(join(folder, name), text)

const sets = (...texts: string[]) =>
  texts.map((text) => {
    const flag = parseSet(text)
    if (typeof flag === 'string') throw new Error(flag)
    return flag
  })

const load = (parts: Partial<ConfigParts> = {}) =>
  loadConfig({ flags: [], env: { HOME: '/home/someone' }, cwd: folder, ...parts })

/** The lines of the error that loading ends in, the folder taken out. */
async function problems(parts: Partial<ConfigParts> = {}): Promise<string[]> {
  const error = await load(parts).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AgentError)) throw new Error(`no AgentError but ${error}`)
  expect(error.code).toBe('CONFIG_INVALID')
  return error.message.replaceAll(`${folder}/`, '').split('\n  ')
}

describe('precedence', () => {
  const flag: FlagValue = { name: 'broker.port', text: '4000', flag: '--mqtt-port' }
  const env = { HOME: '/home/someone', HELIOGRAPH_BROKER_PORT: '3000' }

  it('uses the defaults where nothing is said', async () => {
    const { broker, http, agent } = await load()
    expect(broker).toMatchObject({ host: '127.0.0.1', port: 1883 })
    expect(http.port).toBe(8080)
    expect(agent).toEqual({ root: 'edge' })
  })

  it('takes the file over the defaults', async () => {
    await write('broker: {port: 2000}')
    expect((await load()).broker).toMatchObject({ host: '127.0.0.1', port: 2000 })
  })

  it('takes the environment over the file', async () => {
    await write('broker: {port: 2000}')
    expect((await load({ env })).broker.port).toBe(3000)
  })

  it('takes flags over the environment', async () => {
    await write('broker: {port: 2000}')
    expect((await load({ env, flags: [flag] })).broker.port).toBe(4000)
  })

  it('takes the last of two flags', async () => {
    expect((await load({ flags: [flag, ...sets('broker.port=5000')] })).broker.port).toBe(5000)
  })

  it('replaces the inputs of a service as a whole, and leaves its other parts alone', async () => {
    await write('services: {gate: {model: m, input: {a: "mqtt:a", b: "mqtt:b"}}}')
    const flags = sets('services.gate.input.c=mqtt:c', 'services.gate.input.d=mqtt:d')
    const { gate } = (await load({ flags })).services
    expect(gate).toEqual({ model: 'm', input: { c: 'mqtt:c', d: 'mqtt:d' }, compute: 'start' })
  })
})

describe('the file', () => {
  it('is heliograph.yaml of the current folder, or the one that is named', async () => {
    const parts = { flags: [], env: {}, cwd: folder }
    expect(configFile(parts)).toBeUndefined()
    await write('')
    expect(configFile(parts)).toBe(join(folder, 'heliograph.yaml'))
    const env = { HELIOGRAPH_CONFIG: 'other.yaml' }
    expect(configFile({ ...parts, env })).toBe(join(folder, 'other.yaml'))
    expect(configFile({ ...parts, env, file: '/etc/mine.yaml' })).toBe('/etc/mine.yaml')
  })

  it('may be empty, and so may its sections', async () => {
    await write('broker:\nservices:\n  bare:\n')
    expect((await load()).services).toEqual({ bare: { compute: 'start' } })
  })

  it('must exist where it is named', async () => {
    expect(await problems({ file: 'gone.yaml' })).toEqual(['gone.yaml: there is no such file'])
  })

  it('tells the line and column of what is not YAML', async () => {
    await write('broker:\n  port: 1883\n  port: 1884\n')
    expect(await problems()).toEqual(['heliograph.yaml:3:3: Map keys must be unique'])
  })

  it('starts services unless it says otherwise', async () => {
    await write('services: {one: {input: "synthetic:"}, two: {compute: stop}}')
    const { one, two } = (await load()).services
    expect([one?.compute, two?.compute]).toEqual(['start', 'stop'])
  })

  it('keeps null outputs, which remove the outputs that a service has by default', async () => {
    await write('services: {one: {output: {video: null}}}')
    expect((await load()).services.one?.output).toEqual({ video: null })
  })
})

describe('paths', () => {
  it('of the file count from the file', async () => {
    await mkdir(join(folder, 'etc'))
    const text = `
sources: {roots: [media, /srv/media, ~/media]}
services:
  text: {input: dog.mp4}
  object: {input: {url: ../dog.mp4, pace: fast}}
  map: {input: {a: a.mp4, b: {url: b/*.jpg}, c: "rtsp://camera/x", d: "synthetic:"}}
`
    await write(text, 'etc/agent.yaml')
    const { sources, services } = await load({ file: 'etc/agent.yaml' })
    const etc = join(folder, 'etc')
    expect(sources.roots).toEqual([join(etc, 'media'), '/srv/media', '/home/someone/media'])
    expect(services.text?.input).toBe(join(etc, 'dog.mp4'))
    expect(services.object?.input).toEqual({ url: join(folder, 'dog.mp4'), pace: 'fast' })
    expect(services.map?.input).toEqual({
      a: join(etc, 'a.mp4'),
      b: { url: join(etc, 'b/*.jpg') },
      c: 'rtsp://camera/x',
      d: 'synthetic:',
    })
  })

  it('of flags and variables count from the current folder', async () => {
    const env = { HOME: '/home/someone', HELIOGRAPH_MODELS_FOLDERS: 'one, two' }
    const { data, models } = await load({ env, flags: sets('data.folder=state') })
    expect(data.folder).toBe(join(folder, 'state'))
    expect(models.folders).toEqual([join(folder, 'one'), join(folder, 'two')])
  })

  it('follow the XDG rules where nothing is said', async () => {
    const home = await load()
    expect(home.data.folder).toBe('/home/someone/.local/share/heliograph')
    expect(home.models.cacheFolder).toBe('/home/someone/.cache/heliograph/models')
    expect(home.outputs.mediaFolder).toBe('/home/someone/.local/share/heliograph/media')
    expect(home.sources.roots).toEqual([
      join(packageFolder(), 'examples/media'),
      '/home/someone/.local/share/heliograph/media',
    ])
    const env = { HOME: '/home/someone', XDG_DATA_HOME: '/d', XDG_CACHE_HOME: 'relative' }
    const xdg = await load({ env, name: 'heliograph-demo' })
    expect(xdg.data.folder).toBe('/d/heliograph-demo')
    expect(xdg.models.cacheFolder).toBe('/home/someone/.cache/heliograph/models')
  })

  it('of media follow the data folder', async () => {
    const { outputs, sources } = await load({ flags: sets('data.folder=/srv/agent') })
    expect(outputs.mediaFolder).toBe('/srv/agent/media')
    expect(sources.roots).toContain('/srv/agent/media')
  })
})

describe('what is wrong', () => {
  it('is named with file, line and column, and all of it at once', async () => {
    await write(`agent:
  id: Gate
broker:
  port: 70000
log: {level: loud}
services:
  gate:
    input:
      cam: {url: "rtsp://user:secret@camera/x", fps: 0}
      none: {fps: 3}
`)
    const [head, ...lines] = await problems()
    expect(head).toBe('5 settings are wrong:')
    expect(lines).toEqual([
      expect.stringMatching(
        /^heliograph\.yaml:2:7: agent\.id must match pattern .*; it is 'Gate'$/,
      ),
      'heliograph.yaml:4:9: broker.port must be <= 65535; it is 70000',
      expect.stringMatching(/^heliograph\.yaml:5:14: log\.level .*\(trace, debug, info, .*'loud'$/),
      'heliograph.yaml:9:54: services.gate.input.cam.fps must be > 0; it is 0',
      'heliograph.yaml:10:13: services.gate.input.none needs url; it is {"fps":3}',
    ])
  })

  it('includes settings that do not exist, with what was meant', async () => {
    await write(`brokr: {port: 1}
port: 1884
broker: {prot: 1}
services:
  gate: {inputs: "synthetic:", input: {cam: {url: "synthetic:", fsp: 3}}}
`)
    const lines = (await problems()).slice(1)
    expect(lines.map((line) => line.replace(/; known here: .*/, ''))).toEqual([
      'heliograph.yaml:1:1: there is no setting brokr (did you mean broker?)',
      'heliograph.yaml:2:1: there is no setting port (did you mean broker.port or http.port or rtsp.port?)',
      'heliograph.yaml:3:10: there is no setting broker.prot (did you mean port?)',
      'heliograph.yaml:5:10: there is no setting services.gate.inputs (did you mean input?)',
      'heliograph.yaml:5:65: there is no setting services.gate.input.cam.fsp (did you mean fps?)',
    ])
    expect(lines[2]).toContain('known here: host, port')
  })

  it('includes ids that no topic could carry', async () => {
    await write('services: {Gate: {}, gate: {input: {replyTo: "mqtt:a", "a/b": "mqtt:b"}}}')
    const lines = (await problems()).slice(1)
    expect(lines.map((line) => /'(.*)' cannot be an id/.exec(line)?.[1])).toEqual([
      'Gate',
      'replyTo',
      'a/b',
    ])
  })

  it('includes values where sections are meant', async () => {
    await write('broker: 1883\nservices: [gate]\n')
    expect((await problems()).slice(1)).toEqual([
      'heliograph.yaml:1:9: broker must be a map: host, port; it is 1883',
      'heliograph.yaml:2:11: services must be a map by id; it is ["gate"]',
    ])
  })

  it('never shows a password', async () => {
    await write('services: {gate: {input: {cam: {url: ["rtsp://user:secret@camera/x"]}}}}')
    const [line] = await problems()
    expect(line).toContain('rtsp://user:***@camera/x')
    expect(line).not.toContain('secret')
  })

  it('is named by variable and by flag', async () => {
    const env = { HELIOGRAPH_BROKER_PORT: 'many', HELIOGRAPH_BROKR_PORT: '1' }
    const flags: FlagValue[] = [
      { name: 'http.port', text: '-1', flag: '--http-port' },
      ...sets('lgo.level=debug', 'log.levle=debug'),
    ]
    const lines = (await problems({ env, flags })).slice(1)
    expect(lines.map((line) => line.replace(/; known here: .*/, ''))).toEqual([
      "HELIOGRAPH_BROKER_PORT: broker.port must be integer; it is 'many'",
      '--http-port: http.port must be >= 0; it is -1',
      '--set lgo.level: there is no setting lgo (did you mean log?)',
      '--set log.levle: there is no setting log.levle (did you mean level?)',
      'HELIOGRAPH_BROKR_PORT: no setting is called so (did you mean HELIOGRAPH_BROKER_PORT?)',
    ])
  })

  it('includes what contradicts itself', async () => {
    const flags = sets(
      'broker.port=8080',
      'limits.services=1',
      'services.a.model=m',
      'services.b.model=m',
      'sources.addresses.deny=10.0.0.0/33,fe80::/10',
    )
    expect((await problems({ flags })).slice(1)).toEqual([
      'broker.port and http.port must differ; both are 8080',
      'services: there are 2, but limits.services is 1',
      "sources.addresses.deny: '10.0.0.0/33' must be a CIDR block, as 10.0.0.0/8",
    ])
  })

  it('does not reach into objects of the language', async () => {
    expect((await problems({ flags: sets('constructor.name=x') }))[0]).toContain('no setting')
    expect((await problems({ flags: sets('__proto__.polluted=x') }))[0]).toContain('no setting')
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

it('passes over the variables that Kubernetes makes for a service called heliograph', async () => {
  const env = {
    HELIOGRAPH_PORT: 'tcp://10.0.0.1:1883',
    HELIOGRAPH_PORT_1883_TCP_ADDR: '10.0.0.1',
    HELIOGRAPH_SERVICE_HOST: '10.0.0.1',
    HELIOGRAPH_SERVICE_PORT_MQTT: '1883',
  }
  expect((await load({ env })).broker.port).toBe(1883)
})

it('hands out a configuration that nobody can change', async () => {
  const config = await load({ flags: sets('services.a.input=synthetic:') })
  expect(Object.isFrozen(config.services.a)).toBe(true)
  expect(Object.isFrozen(config.sources.addresses.deny)).toBe(true)
})
