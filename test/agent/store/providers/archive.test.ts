import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Header } from 'tar'
import { describe, expect, it } from 'vitest'
import { archiveFiles } from '../../../../agent/store/providers/archive.ts'
import { scratchFolder } from '../tiny-model.ts'

type Entry = ConstructorParameters<typeof Header>[0] & { content?: string }

/** A tarball with these entries exactly, however odd they are. */
async function tarball(...entries: Entry[]): Promise<string> {
  const blocks = entries.flatMap(({ content = '', ...fields }) => {
    const header = Buffer.alloc(512)
    new Header({ type: 'File', mode: 0o644, size: content.length, ...fields }).encode(header)
    return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  const file = join(await scratchFolder(), 'package.tgz')
  await writeFile(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])))
  return file
}

const context = { scratch: '', signal: new AbortController().signal, report: () => {} }

async function read(file: string, ...paths: string[]) {
  const found = await archiveFiles(file, context)(paths)
  return Object.fromEntries(
    [...found].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
  )
}

describe('the files of a package', () => {
  it('are those asked for, by their paths inside the package', async () => {
    const file = await tarball(
      { path: 'package/model.json', content: 'graph' },
      { path: 'package/weights/1', content: 'w'.repeat(2000) },
      { path: 'package/README', content: 'text' },
    )
    expect(await read(file, 'model.json', 'weights/1')).toEqual({
      'model.json': 'graph',
      'weights/1': 'w'.repeat(2000),
    })
  })

  it('are the first of their name', async () => {
    const file = await tarball(
      { path: 'package/model.json', content: 'first' },
      { path: 'package/model.json', content: 'second' },
    )
    expect(await read(file, 'model.json')).toEqual({ 'model.json': 'first' })
  })

  it.each(['SymbolicLink', 'Link', 'Directory', 'CharacterDevice', 'FIFO'] as const)(
    'are never a %s',
    async (type) => {
      const file = await tarball({ path: 'package/model.json', type, linkpath: '/etc/passwd' })
      await expect(read(file, 'model.json')).rejects.toMatchObject({
        code: 'MODEL_LOAD',
        message: expect.stringContaining('model.json'),
      })
    },
  )

  it('are not found by a detour', async () => {
    const file = await tarball({ path: 'package/../model.json', content: 'outside' })
    await expect(read(file, 'model.json')).rejects.toMatchObject({ code: 'MODEL_LOAD' })
  })

  it('are refused when they claim to be larger than any model', async () => {
    const file = await tarball({ path: 'package/model.json', size: 2 ** 31 })
    await expect(read(file, 'model.json')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining(`more than ${2 ** 30} bytes`),
    })
  })

  it('are not read from what is no tarball', async () => {
    const file = join(await scratchFolder(), 'package.tgz')
    await writeFile(file, 'not gzip')
    await expect(read(file, 'model.json')).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringContaining('cannot unpack'),
    })
  })
})
