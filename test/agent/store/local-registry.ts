import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a package of the local registry is, and how its tarball is sent. */
export interface Listing {
  readonly bytes: Buffer
  /** What the package's document says of it. */
  readonly integrity: string
  /** Answer for the tarball at the address that every registry uses; npm is told another one. */
  readonly status?: number
  /** Sends so many bytes, then nothing. */
  readonly stallAfter?: number
}

/** A registry on this machine that serves version 1.0.0 of some packages. */
export interface LocalRegistry {
  readonly url: string
  /** Paths that were asked for, in order. */
  readonly requests: string[]
  list(name: string, listing: Listing): void
  /** Resolves when a tarball has stalled; its connection's end resolves `gone`. */
  readonly stalled: Promise<{ readonly gone: Promise<unknown> }>
  close(): Promise<void>
}

/** Starts a registry on a free port. */
export async function localRegistry(): Promise<LocalRegistry> {
  const listings = new Map<string, Listing>()
  const requests: string[] = []
  let tellStalled: (stall: { gone: Promise<unknown> }) => void = () => {}
  const stalled = new Promise<{ gone: Promise<unknown> }>((resolve) => {
    tellStalled = resolve
  })
  const server = createServer((request, response) => answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  function answer(request: IncomingMessage, response: ServerResponse) {
    const path = request.url ?? '/'
    requests.push(path)
    const [, name = '', tarball] = /^\/([^/]+)(\/.+)?$/.exec(path) ?? []
    const listing = listings.get(name)
    if (!listing) return response.writeHead(404).end()
    if (tarball === undefined) return response.end(JSON.stringify(document(name, listing)))
    const usual = tarball === `/-/${name}-1.0.0.tgz`
    if (usual && listing.status) return response.writeHead(listing.status).end()
    response.writeHead(200, { 'content-length': listing.bytes.length })
    if (listing.stallAfter === undefined) return response.end(listing.bytes)
    response.write(listing.bytes.subarray(0, listing.stallAfter))
    return tellStalled({ gone: once(response, 'close') })
  }

  function document(name: string, { integrity }: Listing) {
    const dist = { tarball: `${url}${name}/mirror/${name}-1.0.0.tgz`, integrity }
    const versions = { '1.0.0': { name, version: '1.0.0', dist } }
    return { name, 'dist-tags': { latest: '1.0.0' }, versions }
  }

  return {
    url,
    requests,
    stalled,
    list: (name, listing) => void listings.set(name, listing),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
