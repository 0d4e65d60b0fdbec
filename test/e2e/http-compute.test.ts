import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'
import { undocumented } from './documented-statuses.ts'
import { type WebCaller, webCaller } from './web-caller.ts'

const photo = media('street.jpg')

describe('pictures over HTTP', () => {
  let agent: AgentUnderTest
  let call: WebCaller
  let jpeg: Buffer
  let size: { width: number; height: number }

  beforeAll(async () => {
    agent = await startAgentUnderTest()
    call = webCaller(agent.running)
    await call('POST', '/services', { service: 'door', model: { options: { minScore: 0.5 } } })
    jpeg = await readFile(photo)
    const { width = 0, height = 0 } = await sharp(jpeg).metadata()
    size = { width, height }
  })
  afterAll(() => agent.stop())

  async function send(
    path: string,
    body: string | Uint8Array<ArrayBuffer> | FormData,
    accept: string,
  ): Promise<Response> {
    const url = `${agent.running.addresses.http}${path}`
    return await fetch(url, { method: 'POST', body, headers: { accept } })
  }

  it('a picture set as input is computed by PUT, as JSON, JPEG or PNG', async () => {
    await call('PUT', '/input', `file://${photo}`)
    const { status, body } = await call('PUT', '/compute')
    expect({ status, body }).toMatchObject({ status: 200, body: { kind: 'detections', ...size } })
    expect(body.items.length).toBeGreaterThan(0)
    for (const format of ['jpeg', 'png'] as const) {
      const response = await fetch(`${agent.running.addresses.http}/compute`, {
        method: 'PUT',
        headers: { accept: `image/${format}` },
      })
      expect(response.headers.get('content-type')).toBe(`image/${format}`)
      expect(response.headers.get('heliograph-items')).toBe(String(body.items.length))
      const picture = Buffer.from(await response.arrayBuffer())
      expect(await sharp(picture).metadata()).toMatchObject({ format, ...size })
      expect(await changedBeside(jpeg, picture, body.items[0].box)).toBe(true)
    }
    expect((await call('GET', '/compute')).body.compute).toBe('stop')
  })

  it('results of a picture that is computed by PUT go to the outputs too', async () => {
    await call('PUT', '/input', { gate: `file://${photo}` })
    const from = agent.heard.length
    const { body } = await call('PUT', '/compute')
    const { value } = await agent.next('door/detections/gate', () => true, from)
    expect(value.items).toEqual(body.items)
  })

  it('an upload gives what the same picture gives from a file', async () => {
    await call('PUT', '/input', `file://${photo}`)
    const { body } = await call('PUT', '/compute')
    const response = await send('/compute?tag=part-1', new Uint8Array(jpeg), 'application/json')
    expect(response.status).toBe(200)
    const result = await response.json()
    expect(result).toMatchObject({ input: 'once', tag: 'part-1', items: body.items })
  })

  it('several uploads are answered in order, each under its name', async () => {
    const form = new FormData()
    const names = ['one.jpg', 'two.jpg', 'three.jpg']
    const widths = [200, 640, 320]
    for (const [at, name] of names.entries()) {
      const small = await sharp(jpeg).resize(widths[at]).jpeg().toBuffer()
      form.append('file', new Blob([new Uint8Array(small)]), name)
    }
    const response = await send('/services/door/compute', form, 'application/json')
    const { results } = jsonOf(await response.text())
    const seen = results.map(({ tag, width }: { tag: string; width: number }) => [tag, width])
    expect(seen).toEqual(names.map((name, at) => [name, widths[at]]))
  })

  it('a video is answered frame by frame, a line each, until the caller leaves', async () => {
    const video = new Uint8Array(await readFile(media('dog.mp4')))
    const response = await send('/compute', video, 'application/x-ndjson')
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    const lines: { seq: number; items: { label: string }[] }[] = []
    for await (const line of linesOf(response)) {
      lines.push(JSON.parse(line))
      if (lines.length === 20) break
    }
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, at) => at))
    expect(lines[0]?.items[0]?.label).toBe('dog')
    const uploads = join(agent.dataFolder, 'uploads')
    await expect.poll(() => readdir(uploads), { timeout: 10_000 }).toEqual([])
    await expect.poll(async () => (await call('GET', '/compute')).body.state.state).toBe('idle')
  })

  it.each([
    ['nothing', '', 'application/json', 400, 'MESSAGE_INVALID'],
    ['text', 'a bus', 'application/json', 422, 'SOURCE_DECODE'],
    ['half a picture', 'half', 'application/json', 422, 'SOURCE_DECODE'],
    ['a wish that nobody fulfils', 'a bus', 'video/mp4', 406, 'MESSAGE_INVALID'],
    ['a playlist', '#EXTM3U\nfile:///etc/passwd\n', 'application/json', 403, 'SOURCE_FORBIDDEN'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', '*/*', 422, 'SOURCE_UNSUPPORTED'],
  ])('%s is refused with its reason', async (_, text, accept, status, code) => {
    const half = jpeg.subarray(0, 600)
    const body = text === 'half' ? new Uint8Array(half) : text
    const response = await send('/compute', body, accept)
    expect(await response.json()).toMatchObject({ status, code })
    expect(response.status).toBe(status)
    expect((await send('/compute', new Uint8Array(jpeg), '*/*')).status).toBe(200)
  })

  it('are answered only by statuses that the OpenAPI document names', async () => {
    expect(await undocumented(agent.running.addresses.http)).toEqual([])
  })
})

/** Whatever JSON holds: the wire is what is tested. */
const jsonOf = (text: string): ReturnType<typeof JSON.parse> => JSON.parse(text)

/** The lines of a body, as they come; leaving the loop ends the request. */
async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = ''
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** Whether two pictures differ on the edge of a box. */
async function changedBeside(
  before: Buffer,
  after: Buffer,
  [x, y, width]: [number, number, number, number],
): Promise<boolean> {
  const left = Math.max(0, Math.round(x))
  const region = { left, top: Math.max(0, Math.round(y)), width: Math.floor(width / 2), height: 2 }
  const [one, other] = await Promise.all(
    [before, after].map((picture) => sharp(picture).extract(region).removeAlpha().raw().toBuffer()),
  )
  const differences = [...(one ?? [])].filter(
    (value, at) => Math.abs(value - (other?.[at] ?? 0)) > 60,
  )
  return differences.length > (one?.length ?? 0) / 4
}
