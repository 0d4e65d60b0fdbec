import type { IncomingMessage } from 'node:http'
import type { Problem } from '../../schemas/http.ts'
import type { Result } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import { type ClientParts, type Inference, patience, type Upload } from './agent-client.ts'
import { computed } from './computed.ts'
import { chunksOf, exchange, reading, type Server, textOf } from './http-exchange.ts'
import { checkOffered } from './http-offered.ts'
import { problemError } from './http-problem.ts'
import { linesOf } from './lines.ts'
import { uploadBody } from './upload-body.ts'

/** Where uploads go. */
export interface UploadPlace {
  readonly server: Server
  readonly parts: ClientParts
  /** Of `compute`. */
  readonly path: string
  readonly how: Inference
}

/** Sends uploads; results come line by line, so that those of a video are never all in memory. */
export async function* inferUploads(
  place: UploadPlace,
  uploads: readonly Upload[],
): AsyncGenerator<Result> {
  const response = await post(place, uploads, 'application/x-ndjson, application/json;q=0.9')
  const type = response.headers['content-type'] ?? ''
  if (type.includes('ndjson')) yield* inLines(place.server, response)
  else yield* inWhole(JSON.parse(await textOf(place.server, response)))
}

/** @throws AgentError MESSAGE_INVALID for a video, which gives many pictures */
export async function drawUpload(place: UploadPlace, upload: Upload): Promise<Uint8Array> {
  const response = await post(place, [upload], 'image/jpeg')
  const type = response.headers['content-type'] ?? ''
  if (type.startsWith('image/jpeg')) return Buffer.concat(await chunksOf(place.server, response))
  response.destroy()
  throw new AgentError(
    'MESSAGE_INVALID',
    `'${upload.name}' gives ${type || 'no picture'}; only a still picture can be drawn on (image/jpeg)`,
  )
}

async function post(
  { server, parts, path, how }: UploadPlace,
  uploads: readonly Upload[],
  accept: string,
): Promise<IncomingMessage> {
  const query = how.tag === undefined ? '' : `?tag=${encodeURIComponent(how.tag)}`
  const timeoutMs = patience(parts, 'long')
  const body = uploadBody(uploads)
  try {
    const headers = { accept }
    return await exchange(server, { method: 'POST', path: path + query, headers, body, timeoutMs })
  } catch (error) {
    await checkOffered(server, { method: 'POST', path, timeoutMs }, error)
    throw error
  }
}

async function* inLines(server: Server, response: IncomingMessage): AsyncGenerator<Result> {
  for await (const line of linesOf(reading(server, response))) {
    if (line.trim() !== '') yield* inWhole(JSON.parse(line))
  }
}

/** Results, and then the problem that ended them. */
function* inWhole(value: { readonly error?: Problem }): Generator<Result> {
  const { results = [] } = 'error' in value && !('results' in value) ? {} : computed(value)
  yield* results
  if (value.error) throw problemError(value.error)
}
