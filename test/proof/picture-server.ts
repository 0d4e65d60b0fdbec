import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'

/** A web server with a listing of pictures, as any static file server shows a folder. */
export interface PictureServer {
  readonly url: string
  close(): Promise<void>
}

/** Serves the named pictures of `folder` below an HTML index. */
export async function startPictureServer(
  folder: string,
  names: readonly string[],
): Promise<PictureServer> {
  const links = names.map((name) => `<li><a href="${name}">${name}</a></li>`).join('')
  const index = `<!DOCTYPE html><title>Index of /</title><ul>${links}</ul>`
  const server = createServer(async ({ url = '' }, response) => {
    const name = decodeURIComponent(url.slice('/pictures/'.length))
    if (url === '/pictures/') return response.setHeader('content-type', 'text/html').end(index)
    if (!names.includes(name)) return response.writeHead(404).end()
    const picture = await readFile(join(folder, name))
    return response.setHeader('content-type', 'image/jpeg').end(picture)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return {
    url: `http://127.0.0.1:${address.port}/pictures/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}
