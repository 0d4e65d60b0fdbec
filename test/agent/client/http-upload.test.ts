import { Readable } from 'node:stream'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AgentClient, Upload } from '../../../agent/client/agent-client.ts'
import { httpClient } from '../../../agent/client/http.ts'

/** Fastify reads what is sent: its reading of RFC 7578 is not ours. */
async function uploadServer(register: (app: FastifyInstance) => void): Promise<AgentClient> {
  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) =>
    done(null, body),
  )
  await app.register(multipart)
  register(app)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const client = httpClient({ url })
  onTestFinished(async () => {
    await client.close()
    await app.close()
  })
  return client
}

const upload = (name: string, content: string, known = true): Upload => ({
  name,
  ...(known ? { bytes: Buffer.byteLength(content) } : {}),
  open: () => Readable.from([Buffer.from(content)]),
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const line = (seq: number) => `${JSON.stringify({ kind: 'detections', seq, items: [] })}\n`

describe('uploads over HTTP', () => {
  it('send one file as the body, with its length where it is known', async () => {
    const got: unknown[] = []
    const client = await uploadServer((app) =>
      app.post('/compute', async ({ body, headers, query }) => {
        got.push([String(body), headers['content-length'], query])
        return { kind: 'detections', seq: 0 }
      }),
    )
    await all(client.infer([upload('a.jpg', 'pixels')], { tag: 'a b' }))
    await all(client.infer([upload('b.jpg', 'more', false)]))
    expect(got).toEqual([
      ['pixels', '6', { tag: 'a b' }],
      ['more', undefined, {}],
    ])
  })

  it.each([true, false])(
    'send several as a form, with awkward names (sizes known: %s)',
    async (known) => {
      const got: unknown[] = []
      const client = await uploadServer((app) =>
        app.post('/services/gate/compute', async (request, reply) => {
          for await (const { filename, file } of request.files()) {
            got.push([filename, String(Buffer.concat(await all(file)))])
          }
          return reply.type('application/x-ndjson').send(line(0) + line(1))
        }),
      )
      const uploads = [upload('a.jpg', 'one', known), upload('größe "2".jpg', 'two\r\n', known)]
      const results = await all(client.infer(uploads, { service: 'gate' }))
      expect(got).toEqual([
        ['a.jpg', 'one'],
        ['größe %222%22.jpg', 'two\r\n'],
      ])
      expect(results.map(({ seq }) => seq)).toEqual([0, 1])
    },
  )

  it('give results as they come, and then the problem that ended them', async () => {
    const problem = { code: 'SOURCE_DECODE', detail: 'the third is damaged', retryable: false }
    const client = await uploadServer((app) =>
      app.post('/compute', async (_, reply) =>
        reply
          .type('application/x-ndjson')
          .send(`${line(0)}${line(1)}${JSON.stringify({ error: problem })}\n`),
      ),
    )
    const seen: number[] = []
    const reading = (async () => {
      for await (const { seq } of client.infer([upload('a.mp4', 'x')])) seen.push(seq)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_DECODE' })
    expect(seen).toEqual([0, 1])
  })

  it('take a drawn picture, and nothing but a picture', async () => {
    const client = await uploadServer((app) =>
      app.post('/compute', async ({ headers, body }, reply) => {
        expect(headers.accept).toBe('image/jpeg')
        const several = String(body) === 'video'
        return reply.type(several ? 'multipart/mixed; boundary=x' : 'image/jpeg').send('drawn')
      }),
    )
    expect(String(await client.draw(upload('a.jpg', 'still')))).toBe('drawn')
    await expect(client.draw(upload('a.mp4', 'video'))).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      message: expect.stringContaining("'a.mp4'"),
    })
  })

  it('say that an agent takes none', async () => {
    const client = await uploadServer((app) =>
      app.setNotFoundHandler(({ method, url }, reply) =>
        reply.code(404).send({ code: 'NOT_FOUND', detail: `nothing is at ${method} ${url}` }),
      ),
    )
    await expect(all(client.infer([upload('a.jpg', 'x')]))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('does not offer POST /compute'),
    })
  })
})
