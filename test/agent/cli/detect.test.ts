import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import sharp, { type Region } from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { check } from '../../../schemas/decode.ts'
import { Detections, type Result } from '../../../schemas/results.ts'
import { defaultModel, modelCacheFolder } from '../../model-cache.ts'
import type { OracleFixture } from '../../oracle/fixture.ts'
import { heliograph, program, scratch } from './heliograph.ts'

const media = resolve('examples/media')
const dog = join(media, 'dog.jpg')
const street = join(media, 'street.jpg')
const clip = join(media, 'dog.mp4')

beforeAll(async () => {
  await defaultModel()
})

/** The results on standard output, each of them as the contract has it. */
function resultsIn(stdout: string): (Result & { source: string })[] {
  const lines = stdout.split('\n').slice(0, -1)
  return lines.map((line) => {
    const result = JSON.parse(line)
    expect(check(Detections, result)).toMatchObject({ ok: true, unknown: [] })
    return result
  })
}

function oracleOf(name: string): OracleFixture {
  return JSON.parse(readFileSync(`test/fixtures/oracle/${name}.json`, 'utf8'))
}

describe('detect', { timeout: 120_000 }, () => {
  it('prints one line for each picture: what an independent program finds in it', async () => {
    const { code, stdout, stderr } = await heliograph(['detect', dog, street])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const results = resultsIn(stdout)
    expect(results.map(({ source }) => source)).toEqual([dog, street])
    const expected = oracleOf('dog.jpg')
    const [best] = results[0]?.items ?? []
    const [wanted] = expected.items
    if (!best || !wanted) throw new Error('nothing was found')
    expect(best.label).toBe(wanted.label)
    expect(best.score).toBeCloseTo(wanted.score, 1)
    for (const [index, edge] of wanted.box.entries()) {
      expect(Math.abs((best.box[index] ?? Number.NaN) - edge)).toBeLessThan(expected.width / 50)
    }
  })

  it('leaves nothing in the temporary folder, and has ONNX Runtime report to nobody', async () => {
    const [folder, cache] = [await scratch(), await scratch()]
    const env = { TMPDIR: folder, XDG_CACHE_HOME: cache }
    expect(await heliograph(['detect', dog], env)).toMatchObject({ code: 0 })
    expect(await readdir(folder)).toEqual([])
    expect(await readdir(cache)).toEqual([])
  })

  it('goes on after a source that fails, and ends with 1', async () => {
    const gone = join(media, 'gone.jpg')
    const { code, stdout, stderr } = await heliograph(['detect', gone, dog])
    expect(code).toBe(1)
    expect(resultsIn(stdout).map(({ source }) => source)).toEqual([dog])
    expect(stderr).toContain(`error SOURCE_UNREACHABLE: ${gone}: `)
  })

  it('refuses a model that does not exist', async () => {
    const { code, stderr } = await heliograph(['detect', dog, '--model', 'nope'])
    expect(code).toBe(1)
    expect(stderr).toContain("error MODEL_UNKNOWN: no model 'nope'")
  })

  it('leaves out what scores less than is asked for', async () => {
    const { stdout } = await heliograph(['detect', street, '--min-score', '0.7'])
    const [result] = resultsIn(stdout)
    const scores = result?.items.map(({ score }) => score) ?? []
    expect(scores.length).toBeGreaterThan(0)
    for (const score of scores) expect(score).toBeGreaterThanOrEqual(0.7)
  })

  it('takes a video at the rate that is asked for, without holes', async () => {
    const { code, stdout } = await heliograph(['detect', clip, '--fps', '1'])
    expect(code).toBe(0)
    const results = resultsIn(stdout)
    // 368 frames at 30 fps: 12.27 s.
    expect(results.length).toBeGreaterThanOrEqual(12)
    expect(results.length).toBeLessThanOrEqual(13)
    expect(results.map(({ seq }) => seq)).toEqual(results.map((_, index) => index))
    const pts = results.map((result) => result.pts ?? Number.NaN)
    expect(pts).toEqual(pts.toSorted((a, b) => a - b))
  })

  it('ends quietly when its reader has seen enough', () => {
    const command = `"${process.execPath}" "${program}" detect "${clip}"`
    const script = `${command} | head -n 1 > /dev/null; echo "\${PIPESTATUS[0]}"`
    const env = { ...process.env, HELIOGRAPH_MODELS_CACHE_FOLDER: modelCacheFolder }
    const printed = execFileSync('bash', ['-c', `exec 2>&1; ${script}`], { encoding: 'utf8', env })
    expect(printed).toBe('0\n')
  })
})

describe('detect --draw', { timeout: 120_000 }, () => {
  it('draws boxes where the results say', async () => {
    const file = join(await scratch(), 'new', 'seen.jpg')
    const { code, stdout } = await heliograph(['detect', dog, '--draw', file])
    expect(code).toBe(0)
    const [item] = resultsIn(stdout)[0]?.items ?? []
    if (!item) throw new Error('nothing was found')
    const [x, y, width, height] = item.box
    const edge = { left: Math.round(x), top: Math.round(y + height / 4), width: 3, height: 100 }
    const middle = { ...edge, left: Math.round(x + width / 2) }
    expect(await difference(dog, file, edge)).toBeGreaterThan(20)
    expect(await difference(dog, file, middle)).toBeLessThan(10)
  })

  it('names pictures by their sources', async () => {
    const folder = await scratch()
    await heliograph(['detect', dog, street, '--draw', join(folder, '{seq}-{name}.jpg')])
    expect((await readdir(folder)).sort()).toEqual(['0-dog.jpg', '1-street.jpg'])
  })

  it('refuses to write one picture over another', async () => {
    const file = join(await scratch(), 'seen.jpg')
    const { code, stdout, stderr } = await heliograph(['detect', clip, '--draw', file])
    expect(code).toBe(2)
    expect(resultsIn(stdout)).toHaveLength(1)
    expect(stderr).toContain('twice: several pictures need {name} or {seq} in the file name')
  })

  it('says where it cannot write', async () => {
    const { code, stderr } = await heliograph(['detect', dog, '--draw', '/proc/seen.jpg'])
    expect(code).toBe(1)
    expect(stderr).toContain("error SINK_FAILED: cannot write '/proc/seen.jpg'")
  })
})

/** Mean difference of two pictures in an area, 0–255. */
async function difference(one: string, other: string, area: Region): Promise<number> {
  const [a, b] = await Promise.all(
    [one, other].map((file) => sharp(file).removeAlpha().extract(area).raw().toBuffer()),
  )
  if (!a || a.length !== b?.length) throw new Error('the pictures differ in size')
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length
}
