import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Refusal } from '../../../agent/http/problems.ts'
import { spool } from '../../../agent/http/spool.ts'

const limits = { maxUploadBytes: 1000, maxSpoolBytes: 1500 }

describe('uploads', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spool-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const bytes = (count: number) => Readable.from([Buffer.alloc(count, 7)])
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.unreachable(),
      (error: unknown) => error as Refusal,
    )

  it('lie in files of this user alone, until they are removed', async () => {
    const {
      url,
      bytes: size,
      remove,
    } = await spool(folder, limits).take(Readable.from([Buffer.from('one '), Buffer.from('two')]))
    const path = fileURLToPath(url)
    expect(await readFile(path, 'utf8')).toBe('one two')
    expect([size, (await stat(path)).mode & 0o777]).toEqual([7, 0o600])
    await remove()
    await remove()
    expect(await readdir(folder)).toEqual([])
  })

  it('may have as many bytes as is said, and leave nothing when they have more', async () => {
    const files = spool(folder, limits)
    await (await files.take(bytes(1000))).remove()
    const refused = await failure(files.take(bytes(1001)))
    expect(refused).toBeInstanceOf(Refusal)
    expect([refused.status, refused.error.code]).toEqual([413, 'LIMIT_EXCEEDED'])
    expect(refused.message).toContain('http.maxUploadBytes')
    expect(await readdir(folder)).toEqual([])
  })

  it('are refused where there is no more room together, until some are gone', async () => {
    const files = spool(folder, limits)
    const first = await files.take(bytes(900))
    const refused = await failure(files.take(bytes(601)))
    expect([refused.status, refused.error.retryable]).toEqual([507, true])
    expect(refused.message).toContain('http.maxSpoolBytes')
    const second = await files.take(bytes(600))
    await first.remove()
    await (await files.take(bytes(900))).remove()
    await second.remove()
  })

  it('are refused when they are empty', async () => {
    const refused = await failure(spool(folder, limits).take(Readable.from([])))
    expect(refused).toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(await readdir(folder)).toEqual([])
  })

  it('leave nothing when the sender goes away', async () => {
    const files = spool(folder, limits)
    const body = new PassThrough()
    const taken = files.take(body)
    body.write(Buffer.alloc(900))
    body.destroy(new Error('gone'))
    await expect(taken).rejects.toThrow('gone')
    expect(await readdir(folder)).toEqual([])
    await (await files.take(bytes(1000))).remove()
  })
})
