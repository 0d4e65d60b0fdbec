import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { npm } from '../../../../agent/store/providers/npm-command.ts'
import { npmSettings } from '../../../../agent/store/providers/npm-settings.ts'
import { scratchFolder } from '../tiny-model.ts'

const path = process.env.PATH
afterEach(() => {
  process.env.PATH = path
})

/** Puts a shell script in npm's place; returns the folder it may write to. */
async function npmScript(...lines: string[]): Promise<string> {
  const folder = await scratchFolder()
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'npm'), ['#!/bin/sh', `cd '${folder}'`, ...lines].join('\n'), {
    mode: 0o755,
  })
  process.env.PATH = `${bin}:${path}`
  return folder
}

const never = new AbortController().signal

describe('npm', () => {
  it('may be a script; what it prints is returned', async () => {
    await npmScript('echo "$1 $2"')
    expect(await npm(['config', 'get'], never)).toBe('config get\n')
  })

  it('may be absent: then that is said', async () => {
    process.env.PATH = '/nowhere'
    await expect(npm(['pack'], never)).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      retryable: true,
      message: expect.stringMatching(/npm pack: .*ENOENT/),
    })
  })

  it('may fail: then its own words are passed on, without passwords', async () => {
    await npmScript('echo "no access to https://me:secret@host/" >&2; exit 1')
    await expect(npm(['pack'], never)).rejects.toMatchObject({
      message: 'npm pack: no access to https://me:***@host/',
    })
  })

  it('is ended with all its children when it is no longer wanted', async () => {
    const folder = await npmScript('sleep 1000 &', 'echo $! > child', 'mv child started', 'wait')
    const abort = new AbortController()
    const running = npm(['pack'], abort.signal)
    const failure = expect(running).rejects.toThrow('enough')
    const child = await expect
      .poll(() => readFile(join(folder, 'started'), 'utf8').catch(() => ''))
      .not.toBe('')
      .then(() => readFile(join(folder, 'started'), 'utf8'))
    abort.abort(new Error('enough'))
    await failure
    const status = () => readFile(`/proc/${child.trim()}/status`, 'utf8').catch(() => '')
    await expect.poll(status).not.toMatch(/\nState:\t[^Z]/)
  })
})

describe('the settings of npm', () => {
  it('name the registry, that of the scope first, and whether there is a proxy', async () => {
    await npmScript(
      'for key in "$@"; do case "$key" in',
      "registry) echo 'registry=https://registry.example/';;",
      "@mine:registry) echo '@mine:registry=https://mine.example/';;",
      "https-proxy) echo 'https-proxy=http://proxy.example:3128/?a=b';;",
      "proxy) echo 'proxy=null';;",
      'esac; done',
    )
    expect(await npmSettings('left-pad', never)).toEqual({
      registry: 'https://registry.example/',
      proxied: true,
    })
    expect((await npmSettings('@mine/model', never)).registry).toBe('https://mine.example/')
  })

  it('are those of the public registry without npm', async () => {
    process.env.PATH = '/nowhere'
    const settings = await npmSettings('left-pad', never)
    expect(settings.proxied).toBe(false)
    expect(new URL(settings.registry).protocol).toBe('https:')
  })

  it('are what npm really prints', async () => {
    process.env.npm_config_registry = 'http://127.0.0.1:9/'
    try {
      expect((await npmSettings('left-pad', never)).registry).toBe('http://127.0.0.1:9/')
    } finally {
      delete process.env.npm_config_registry
    }
  })
})
