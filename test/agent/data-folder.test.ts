import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { takeDataFolder } from '../../agent/data-folder.ts'

function folders() {
  const folder = mkdtempSync(join(tmpdir(), 'heliograph-data-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, media: join(folder, 'media'), uploads: join(folder, 'uploads') }
}

it('has a folder for uploads that nobody else may look into', async () => {
  const { folder, media, uploads } = folders()
  const data = await takeDataFolder(folder, media)
  expect(data.uploadFolder).toBe(uploads)
  expect(statSync(uploads).mode & 0o777).toBe(0o700)
  await data.release()
})

it('keeps nothing of what was uploaded to an agent that is gone', async () => {
  const { folder, media, uploads } = folders()
  mkdirSync(join(uploads, 'half'), { recursive: true, mode: 0o777 })
  writeFileSync(join(uploads, 'half', 'a.jpg'), 'x')
  const data = await takeDataFolder(folder, media)
  expect(readdirSync(uploads)).toEqual([])
  expect(statSync(uploads).mode & 0o777).toBe(0o700)
  await data.release()
})

it('leaves the uploads of a running agent alone when another wants its folder', async () => {
  const { folder, media, uploads } = folders()
  const data = await takeDataFolder(folder, media)
  writeFileSync(join(uploads, 'a.jpg'), 'x')
  await expect(takeDataFolder(folder, media)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(existsSync(join(uploads, 'a.jpg'))).toBe(true)
  await data.release()
})
