import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../schemas/errors.ts'
import { edgesOf, reach, type Tree } from './architecture/module-graph.ts'
import {
  atLoad,
  errorCodesIn,
  forbiddenReach,
  type ImportTable,
  inProcess,
  matchesOutside,
  outsideFolder,
  pluginsInUse,
  pluginsOf,
  strayImports,
} from './architecture/rules.ts'

/** Which folder may import what; `type x`: only types of `x`. */
const table: ImportTable = {
  schemas: ['typebox'],
  broker: ['agent/core', 'agent/net', 'schemas', 'aedes', 'ws', 'node:'],
  'agent/core': ['type schemas'],
  'agent/imaging': ['agent/core', 'type schemas'],
  'agent/pipeline': ['agent/core', 'type schemas', 'rxjs', 'node:'],
  'agent/models': ['agent/core', 'agent/imaging', 'type schemas'],
  'agent/backends': ['agent/core', 'onnxruntime-node', 'node:'],
  'agent/media': [
    'agent/core',
    'agent/imaging',
    'agent/mux',
    'node-av',
    'fluent-ffmpeg',
    'sharp',
    'node:',
  ],
  'agent/sources': [
    'agent/core',
    'agent/imaging',
    'agent/media',
    'agent/net',
    'schemas',
    'type agent/service/messages.ts',
    'ipaddr.js',
    'tinyglobby',
    'node:',
  ],
  'agent/net': ['agent/core', 'schemas/errors.ts', 'type schemas', 'ipaddr.js', 'node:'],
  'agent/access': ['agent/core', 'agent/net', 'schemas', 'yaml', 'node:'],
  'agent/mux': ['agent/core'],
  'agent/rtsp': ['agent/core', 'agent/mux', 'agent/net', 'node:'],
  'agent/live': ['agent/access', 'agent/core', 'agent/mux', 'agent/net', 'ws', 'node:'],
  'agent/tracking': ['agent/core', 'agent/imaging', 'type schemas'],
  'agent/sinks': [
    'agent/core',
    'agent/imaging',
    'agent/media',
    'agent/mux',
    'agent/net',
    'agent/pipeline/backoff.ts',
    'schemas',
    'mqtt',
    'ws',
    'node:',
  ],
  'agent/service': [
    'agent/core',
    'agent/pipeline',
    'agent/sources/registry.ts',
    'agent/sinks/registry.ts',
    'agent/sinks/annotated.ts',
    'agent/sinks/preview.ts',
    'type agent/sinks',
    'agent/models/registry.ts',
    'agent/backends/registry.ts',
    'agent/media/node-av.ts',
    'agent/media/registry.ts',
    'agent/tracking',
    'type agent/media',
    'type schemas',
    'rxjs',
    'node:',
  ],
  'agent/control': [
    'agent/core',
    'agent/service/supervisor.ts',
    'type agent/service',
    'type agent/store',
    'schemas',
    'node:',
  ],
  'agent/events': ['agent/core', 'schemas', 'node:'],
  'agent/http': [
    'agent/access',
    'agent/core',
    'agent/net',
    'agent/control/answers.ts',
    'agent/control/in-order.ts',
    'agent/control/readiness.ts',
    'agent/control/still-answers.ts',
    'agent/control/request.ts',
    'agent/control/view.ts',
    'type agent/control',
    'type agent/events',
    'type agent/service',
    'type agent/store',
    'agent/config/folders.ts',
    'schemas',
    'fastify',
    '@fastify/multipart',
    'negotiator',
    'prom-client',
    '@fastify/swagger',
    '@fastify/swagger-ui',
    '@fastify/helmet',
    '@fastify/rate-limit',
    'node:',
  ],
  'agent/client': ['agent/core', 'agent/net', 'schemas', 'mqtt', 'node:'],
  'agent/store': ['agent/core', 'schemas', 'onnx-proto', 'tar', 'yaml', 'node:'],
  'agent/metrics': ['agent/core', 'type schemas', 'systeminformation', 'node:'],
  'agent/config': ['agent/core', 'schemas', 'yaml', 'ipaddr.js', 'node:'],
  'agent/cli': ['agent', 'schemas', 'commander', 'mqtt', 'node:'],
  agent: ['broker', 'schemas', 'pino', 'node:'],
}

/** Each heavy dependency is known in few folders, best in one, so that replacing it is a change in one place. */
const homes: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['agent/backends'],
  'node-av': ['agent/media'],
  'fluent-ffmpeg': ['agent/media/ffmpeg-program.ts'],
  sharp: ['agent/media'],
  aedes: ['broker'],
  ws: ['broker', 'agent/live', 'agent/sinks'],
  mqtt: ['agent/cli', 'agent/client', 'agent/sinks'],
  systeminformation: ['agent/metrics'],
  'onnx-proto': ['agent/store'],
  tar: ['agent/store'],
  commander: ['agent/cli'],
  typebox: ['schemas/typebox.ts'],
  fastify: ['agent/http'],
  'prom-client': ['agent/http'],
  '@fastify/swagger': ['agent/http/swagger-ui.ts'],
  '@fastify/swagger-ui': ['agent/http/swagger-ui.ts'],
  '@fastify/helmet': ['agent/http/headers.ts'],
  '@fastify/rate-limit': ['agent/http/rates.ts'],
}

const native = ['onnxruntime-node', 'node-av', 'sharp']
const tooHeavyForServices = [
  'schemas/typebox.ts',
  'typebox',
  'pino',
  'aedes',
  'yaml',
  'systeminformation',
]
/** Only services that use them are to pay for them. */
const onFirstUse = ['node-av', 'fluent-ffmpeg', 'sharp', 'mqtt', 'ws']
/** Only agents whose pages are read are to pay for them. */
const onFirstPage = ['@fastify/swagger', '@fastify/swagger-ui']
const main = 'agent/main.ts'
const runCommand = 'agent/cli/run.ts'
const commandLine = 'agent/cli/heliograph.ts'
const serviceEntry = 'agent/service/worker.ts'
const pluginFolders = ['agent/sources', 'agent/sinks', 'agent/models', 'agent/backends']
const mayEndTheProcess = ['agent/cli', main, serviceEntry]

function treeOf(folders: readonly string[]): Tree {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name).split(sep).join('/')),
  )
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
}

const tree = treeOf(['agent', 'broker', 'schemas'])

describe('the code', () => {
  it('is found, with the files that the rules start from', () => {
    expect(tree.size).toBeGreaterThan(50)
    expect([main, runCommand, commandLine, serviceEntry].filter((file) => !tree.has(file))).toEqual(
      [],
    )
  })

  it('imports only what each folder may', () => {
    expect(strayImports(tree, table)).toEqual([])
  })

  it('imports files that exist', () => {
    const missing = [...tree.keys()].flatMap((file) =>
      edgesOf(tree, file)
        .filter(({ to }) => /^(agent|broker|schemas)\//.test(to) && !tree.has(to))
        .map(({ to }) => `${file} → ${to}`),
    )
    expect(missing).toEqual([])
  })

  it.each(Object.entries(homes))('knows %s in %s only', (name, folders) => {
    expect(outsideFolder(tree, name, ...folders)).toEqual([])
    expect(outsideFolder(tree, name)).not.toEqual([])
  })

  it.each([main, runCommand])('loads no native module into the main process by %s', (file) => {
    expect(forbiddenReach(tree, file, native)).toEqual([])
    expect(reach(tree, file, inProcess(tree)).size).toBeGreaterThan(20)
  })

  it('loads no native module at the start of the command line', () => {
    expect(forbiddenReach(tree, commandLine, native, atLoad)).toEqual([])
  })

  it('loads into a service process only what it needs', () => {
    expect(forbiddenReach(tree, serviceEntry, tooHeavyForServices)).toEqual([])
    expect(forbiddenReach(tree, serviceEntry, ['onnxruntime-node'])).not.toEqual([])
  })

  it('loads media and network libraries into a service process on first use', () => {
    expect(forbiddenReach(tree, serviceEntry, onFirstUse, atLoad)).toEqual([])
    for (const name of onFirstUse) {
      expect(forbiddenReach(tree, serviceEntry, [name])).not.toEqual([])
    }
  })

  it('loads what makes pages into the main process on first use', () => {
    expect(forbiddenReach(tree, main, onFirstPage, atLoad)).toEqual([])
    for (const name of onFirstPage) expect(forbiddenReach(tree, main, [name])).not.toEqual([])
  })

  it.each(pluginFolders)('uses the plugins of %s through its registry only', (folder) => {
    expect(pluginsOf(tree, folder)).not.toEqual([])
    expect(pluginsInUse(tree, folder)).toEqual([])
  })

  it('reads the environment and ends the process in its entry points only', () => {
    const pattern = /\bprocess\.(?:env|exit|abort)\b|from 'node:process'/
    expect(matchesOutside(tree, pattern, mayEndTheProcess)).toEqual([])
    expect(matchesOutside(tree, pattern, [])).not.toEqual([])
  })

  it.each(['schemas', 'agent/imaging', 'agent/core'])('does no I/O in %s', (folder) => {
    const inside = new Map([...tree].filter(([file]) => file.startsWith(`${folder}/`)))
    expect(inside.size).toBeGreaterThan(0)
    const imports = [...inside.keys()].flatMap((file) => edgesOf(tree, file).map(({ to }) => to))
    expect(imports.filter((to) => to.startsWith('node:'))).toEqual([])
    expect(matchesOutside(inside, /\b(?:fetch|setTimeout|setInterval)\(|\bprocess\./, [])).toEqual(
      [],
    )
  })

  it('has no file over 300 lines', () => {
    const all = treeOf(['agent', 'broker', 'schemas', 'test', 'bench'])
    const long = [...all].filter(([, text]) => text.split('\n').length > 301)
    expect(long.map(([file]) => file)).toEqual([])
  })

  it('raises only error codes of the contract, and every one of them', () => {
    const outside = new Map([...tree].filter(([file]) => !file.startsWith('schemas/')))
    expect([...errorCodesIn(outside)].toSorted()).toEqual(Object.keys(errorCodes).toSorted())
  })
})
