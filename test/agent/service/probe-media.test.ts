import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { probeMedia } from '../../../agent/service/probe-media.ts'

const built = (path: string) => new URL(`../../../dist/agent/media/${path}`, import.meta.url)

describe('the probe of the media engine', () => {
  it('finds what works here', async () => {
    const found = await probeMedia(built('probe.js'), 'auto')
    expect(found.engine).toBe('node-av')
    expect(found.decoders).toContain('software')
    expect(found.encoders).toContain('libx264')
  })

  it('prints one line, and nothing of what FFmpeg or a driver says', async () => {
    const program = [fileURLToPath(built('probe.js')), 'node-av']
    const { stdout, stderr } = await promisify(execFile)(process.execPath, program)
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'node-av' })
    expect(stderr).toBe('')
  })

  it('says why it failed', async () => {
    await expect(probeMedia(built('probe.js'), 'constructor' as 'auto')).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringMatching(/no media engine 'constructor' \(known: auto node-av/),
    })
  })

  it.each([
    ['decoder', 'software', 'true'],
    ['decoder', 'vaapi', 'false'],
    ['encoder', 'libx264', 'true'],
    ['encoder', 'h264_nowhere', 'false'],
  ])('tries one codec alone: %s %s', async (way, name, works) => {
    const program = [fileURLToPath(built('node-av-trial.js')), way, name]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, program)
    if (name === 'vaapi') expect(['true', 'false']).toContain(stdout)
    else expect(stdout).toBe(works)
    if (name !== 'vaapi') expect(stderr).toBe('')
  })
})
