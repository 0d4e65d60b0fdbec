import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSink } from '../../../agent/sinks/registry.ts'
import { decodedHashes, hasFfmpeg, probedStream } from '../mux/made-video.ts'
import { give, result, sinkContext, temporaryFolder } from './surroundings.ts'

describe.skipIf(!hasFfmpeg).each(['.mp4', '.m3u8'])('file: %s', (ending) => {
  it('shows the pictures it was given, one after another', async () => {
    const { context } = sinkContext()
    const sink = createSink({ url: `file:{input}/x${ending}` }, context)
    await sink.open()
    for (let seq = 0; seq < 12; seq++) await give(sink, result(seq, { pts: seq / 25 }))
    await sink.close()
    const file = join(context.mediaFolder, 'gate', `x${ending}`)
    expect(await decodedHashes(file)).toHaveLength(12)
    expect(await probedStream(file)).toMatchObject({ codec_name: 'h264', width: 160, height: 120 })
  })

  it('fails, until there is room, while the disk is too full', async () => {
    const { context } = sinkContext({ minFreeBytes: Number.MAX_SAFE_INTEGER })
    const sink = createSink({ url: `file:x${ending}` }, context)
    await sink.open()
    await expect(give(sink, result(0))).rejects.toMatchObject({
      code: 'SINK_FAILED',
      retryable: true,
      message: expect.stringMatching(/bytes free.*outputs\.minFreeBytes/),
    })
    await sink.close()
  })

  it('refuses what is outside the media folder', async () => {
    const { context } = sinkContext()
    const forbidden = expect.objectContaining({ code: 'SINK_FORBIDDEN' })
    const make = (url: string) => createSink({ url }, context)
    for (const url of [
      `file:///etc/x${ending}`,
      `file:../x${ending}`,
      `file:///%2e%2e/x${ending}`,
    ]) {
      expect(() => make(url), url).toThrow(forbidden)
    }
    symlinkSync(temporaryFolder(), join(context.mediaFolder, 'link'))
    const sink = make(`file:link/x${ending}`)
    await sink.open()
    await expect(give(sink, result(0))).rejects.toMatchObject({ code: 'SINK_FORBIDDEN' })
    await sink.close()
  })
})
