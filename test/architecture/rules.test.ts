import { describe, expect, it } from 'vitest'
import { edgesOf, packageOf } from './module-graph.ts'
import {
  atLoad,
  errorCodesIn,
  forbiddenReach,
  matchesOutside,
  outsideFolder,
  pluginsInUse,
  pluginsOf,
  strayImports,
} from './rules.ts'

const tree = (files: Record<string, string>) => new Map(Object.entries(files))

describe('the reading of imports', () => {
  it.each([
    ["import { a } from './b.ts'", 'static', 'x/b.ts'],
    ["import './b.ts'", 'static', 'x/b.ts'],
    ["import * as b from './b.ts'", 'static', 'x/b.ts'],
    ["import b, { c } from './b.ts'", 'static', 'x/b.ts'],
    ["import {\n  a,\n  c,\n} from './b.ts'", 'static', 'x/b.ts'],
    ["import { type A } from './b.ts'", 'static', 'x/b.ts'],
    ["export { a } from './b.ts'", 'static', 'x/b.ts'],
    ["import type { A } from './b.ts'", 'type', 'x/b.ts'],
    ["export type { A } from './b.ts'", 'type', 'x/b.ts'],
    ["const b = await import('./b.ts')", 'dynamic', 'x/b.ts'],
    ["const load = () => import('./b.ts').then(({ a }) => a)", 'dynamic', 'x/b.ts'],
    ["let b: typeof import('./b.ts')", 'type', 'x/b.ts'],
    ["let b: import('./b.ts').Box", 'type', 'x/b.ts'],
    ["const b = require('./b.ts')", 'dynamic', 'x/b.ts'],
    ["fork(new URL('./b.js', import.meta.url))", 'entry', 'x/b.ts'],
    ["import fs from 'node:fs'", 'static', 'node:fs'],
    ["import { a } from 'typebox/compile'", 'static', 'typebox/compile'],
    ["import { a } from '../b.ts'", 'static', 'b.ts'],
  ])('takes %j as %s of %s', (text, kind, to) => {
    const files = tree({ 'x/a.ts': text, 'x/b.ts': '', 'b.ts': '' })
    expect(edgesOf(files, 'x/a.ts')).toEqual([{ kind, to }])
  })

  it.each([
    "// import { a } from './b.ts'",
    " * import('./b.ts')",
    "const text = 'from here'",
    "const name = './c.js'",
    'export const from = 1',
    'const unimport = important(1)',
  ])('takes %j as no import', (text) => {
    expect(edgesOf(tree({ 'x/a.ts': text, 'x/b.ts': '' }), 'x/a.ts')).toEqual([])
  })

  it('knows packages from files and built-ins', () => {
    expect(['ws', '@a/b/c', 'typebox/compile', 'node:fs', 'x/b.ts'].map(packageOf)).toEqual([
      'ws',
      '@a/b',
      'typebox',
      undefined,
      undefined,
    ])
  })
})

describe('the import table', () => {
  const table = { a: ['b', 'node:'], 'a/deep': ['ws'], b: [] }

  it('names imports that no row allows', () => {
    const files = tree({
      'a/one.ts': "import '../b/x.ts'\nimport 'node:fs'\nimport 'ws'",
      'a/deep/two.ts': "import 'ws'\nimport '../../b/x.ts'",
      'b/x.ts': "import type { A } from '../a/one.ts'",
      'bb/y.ts': '',
    })
    expect(strayImports(files, table)).toEqual([
      'a/one.ts → ws',
      'a/deep/two.ts → b/x.ts',
      'b/x.ts → type a/one.ts',
      'bb/y.ts lies in no folder of the table',
    ])
  })

  it('tells types from values', () => {
    const files = tree({ 'a/one.ts': "import type { A } from 'ws'", 'a/two.ts': "import 'ws'" })
    expect(strayImports(files, { a: ['type ws'] })).toEqual(['a/two.ts → ws'])
  })

  it('passes imports within a folder, and of a package by its path', () => {
    const files = tree({
      'a/one.ts': "import './two.ts'",
      'a/two.ts': '',
      'a/deep/x.ts': "import 'ws/a'",
    })
    expect(strayImports(files, table)).toEqual([])
  })
})

describe('what a process loads', () => {
  const files = tree({
    'main.ts': "import './a.ts'\nfork('./child.js')",
    'a.ts': "import type { X } from './types.ts'\nexport const b = () => import('./b.ts')",
    'b.ts': "import 'sharp'",
    'types.ts': "import 'node-av'",
    'child.ts': "import 'onnxruntime-node'",
    'threads.ts': "new Worker(new URL('./child.js', import.meta.url))",
  })
  const native = ['sharp', 'node-av', 'onnxruntime-node']

  it('is found through static and dynamic imports, not through types and other processes', () => {
    expect(forbiddenReach(files, 'main.ts', native)).toEqual(['main.ts → a.ts → b.ts → sharp'])
  })

  it('is found in the threads it starts', () => {
    expect(forbiddenReach(files, 'threads.ts', native)).toEqual([
      'threads.ts → child.ts → onnxruntime-node',
    ])
  })

  it('leaves out, at load, what is imported on first use', () => {
    expect(forbiddenReach(files, 'main.ts', native, atLoad)).toEqual([])
  })
})

describe('plugins', () => {
  const files = tree({
    'p/registry.ts':
      "import { a } from './a.ts'\nimport type { T } from './t.ts'\nimport './policy.ts'",
    'p/a.ts': "import './policy.ts'",
    'p/b.ts': "import './a.ts'",
    'p/policy.ts': '',
    'p/t.ts': '',
    'q/c.ts': "import type { A } from '../p/a.ts'",
  })

  it('are what the registry imports at run time', () => {
    expect(pluginsOf(files, 'p')).toEqual(['p/a.ts', 'p/policy.ts'])
  })

  it('are used by the registry alone, but for what is declared as shared', () => {
    expect(pluginsInUse(files, 'p')).toEqual(['p/a.ts → p/policy.ts', 'p/b.ts → p/a.ts'])
    expect(pluginsInUse(files, 'p', ['policy.ts'])).toEqual(['p/b.ts → p/a.ts'])
  })
})

describe('the other rules', () => {
  it('find a package outside its folder', () => {
    const files = tree({ 'media/x.ts': "import 'sharp'", 'cli/y.ts': "await import('sharp')" })
    expect(outsideFolder(files, 'sharp', 'media')).toEqual(['cli/y.ts'])
  })

  it('find code, not comments', () => {
    const files = tree({
      'a.ts': 'process.exit(1)',
      'b.ts': '// process.exit(1)',
      'c/d.ts': 'process.exit()',
    })
    expect(matchesOutside(files, /process\.exit/, ['c'])).toEqual(['a.ts'])
  })

  it('find error codes where they are raised and where they are named', () => {
    const text = `new AgentError('NOT_FOUND', x); AgentError.from(error, 'TIMEOUT')
      new AgentError(
        'MODEL_LOAD',
      ); ({ code: 'INTERNAL' }); ({ code: 'ENOENT' }); ({ code: 'ERR_SOCKET' })`
    expect([...errorCodesIn(tree({ 'a.ts': text }))].toSorted()).toEqual([
      'INTERNAL',
      'MODEL_LOAD',
      'NOT_FOUND',
      'TIMEOUT',
    ])
  })
})
