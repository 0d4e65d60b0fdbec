import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeConfig } from '../../../agent/config/describe.ts'
import { loadConfig } from '../../../agent/config.ts'
import { settings } from '../../../schemas/config.ts'

const env = { HOME: '/home/someone' }

it('writes a file that says the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-describe-'))
  const flags = [
    { name: 'services.gate.input', text: '{"cam": {"url": "synthetic:", "fps": 5}}', flag: '' },
    { name: 'services.gate.output.video', text: 'null', flag: '' },
    { name: 'agent.id', text: 'north', flag: '' },
    { name: 'http.allowedOrigins', text: 'https://a, https://b', flag: '' },
  ]
  const config = await loadConfig({ flags, env, cwd: folder })
  await writeFile(join(folder, 'heliograph.yaml'), describeConfig(config))
  expect(await loadConfig({ flags: [], env: {}, cwd: folder })).toEqual(config)
  await rm(folder, { recursive: true })
})

it('explains every setting, with its variable', async () => {
  const flags = [{ name: 'agent.id', text: 'north', flag: '' }]
  const text = describeConfig(await loadConfig({ flags, env, cwd: '/nowhere' }))
  expect(settings.length).toBeGreaterThan(20)
  for (const { schema, variable } of settings) {
    expect(text).toContain(`# ${schema.description} (${variable})`)
  }
})

it('masks passwords', async () => {
  const text = 'rtsp://user:geheim@camera/x'
  const flags = [{ name: 'services.gate.input', text, flag: '' }]
  const described = describeConfig(await loadConfig({ flags, env, cwd: '/nowhere' }))
  expect(described).toContain('rtsp://user:***@camera/x')
  expect(described).not.toContain('geheim')
})

it('masks the secrets of webhooks, in its errors too', async () => {
  const hook = (secret: string) => [
    {
      name: 'services.gate.output',
      text: `{"hook": {"url": "https://host/", "secret": "${secret}"}}`,
      flag: '',
    },
  ]
  const load = (secret: string) => loadConfig({ flags: hook(secret), env, cwd: '/nowhere' })
  const described = describeConfig(await load('correct horse'))
  expect(described).toContain('secret: "***"')
  expect(described).not.toContain('correct')
  await expect(load('short')).rejects.toThrow(/secret/)
  await expect(load('short')).rejects.not.toThrow(/short/)
})
