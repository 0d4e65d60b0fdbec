import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { mediaFolder } from './surroundings.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A web server on this machine, and what it was asked. */
export interface WebServer {
  readonly url: string
  readonly port: number
  readonly requests: IncomingMessage[]
}

/** Serves `answer` until the test is over. */
export async function webServer(answer: Answer): Promise<WebServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, requests }
}

/** Answers with `bytes`, in ranges if the client asks for one and `ranges` is on, of at most `most` bytes. */
export function withBytes(
  bytes: Uint8Array,
  { type = 'application/octet-stream', ranges = true, most = Number.POSITIVE_INFINITY } = {},
): Answer {
  return (request, response) => {
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
    if (!ranges || start === undefined) {
      response.writeHead(200, { 'content-type': type, 'content-length': bytes.length })
      response.end(bytes)
      return
    }
    const from = Number(start)
    const part = bytes.subarray(from, from + most)
    response.writeHead(206, {
      'content-type': type,
      'content-length': part.length,
      'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}`,
    })
    response.end(part)
  }
}

/** The bytes of a shipped media file. */
export function media(name: string): Buffer {
  return readFileSync(join(mediaFolder, name))
}
