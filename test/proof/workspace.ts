import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import type { AddressBook } from '../../schemas/address.ts'
import { FILE_FPS, PICTURES_TOPIC } from './judge-steps.ts'

/** A folder of its own for one agent, with its configuration. */
export interface Workspace {
  readonly folder: string
  readonly book: AddressBook
  readonly configFile: string
  readonly mqttPort: number
  readonly clip: string
  remove(): Promise<void>
}

/** The model that both services start with. */
export const FIRST_MODEL = 'ssdlite-mobilenet-v2-coco'

/** Makes the folder and the configuration file of two services: A with three inputs, B with one. */
export async function makeWorkspace(picturesUrl: string): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-proof-'))
  const [mqttPort, httpPort] = [await freePort(), await freePort()]
  const clip = pathToFileURL(resolve('examples/media/dog.mp4')).href
  const file = { url: clip, fps: FILE_FPS, loop: true }
  const configFile = join(folder, 'heliograph.yaml')
  await mkdir(join(folder, 'models'))
  await writeFile(
    configFile,
    stringify({
      agent: { id: 'proof' },
      data: { folder: join(folder, 'data') },
      broker: { port: mqttPort },
      http: { port: httpPort },
      rtsp: { port: 0 },
      metrics: { intervalMs: 500 },
      models: { folders: [join(folder, 'models')] },
      outputs: { topicPrefixes: ['proof/'] },
      services: {
        a: {
          model: FIRST_MODEL,
          input: {
            clip: file,
            pictures: { url: picturesUrl, fps: 2, loop: true },
            cam: { url: `mqtt:${PICTURES_TOPIC}` },
          },
        },
        b: { model: FIRST_MODEL, input: { clip: file } },
      },
    }),
  )
  return {
    folder,
    book: { root: 'edge', agent: 'proof' },
    configFile,
    mqttPort,
    clip,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Below the ports that the kernel gives to outgoing connections: those could take one meanwhile. */
const PORTS = { from: 20_000, to: 32_000 }

/** A TCP port of this machine that nobody listens on, and that stays free while its agent is down. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
