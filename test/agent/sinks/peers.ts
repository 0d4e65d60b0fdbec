import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type WebSocket, WebSocketServer } from 'ws'

/** Somewhere that results go, which can be killed and started again at the same port. */
export interface Peer {
  readonly url: string
  readonly port: number
  /** What arrived, in order, over all its lives. */
  readonly arrived: Inbox
  start(): Promise<void>
  /** Ends it at once, connections included. */
  kill(): Promise<void>
}

/** Things that arrived, and a way to wait for them. */
export interface Inbox {
  readonly items: readonly string[]
  add(item: string): void
  /** Resolves when there are `count`, with all of them. */
  until(count: number): Promise<readonly string[]>
}

/** Nothing has arrived yet. */
export function inbox(): Inbox {
  const items: string[] = []
  const waiting = new Set<() => void>()
  return {
    items,
    add(item) {
      items.push(item)
      for (const look of waiting) look()
    },
    until: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (items.length < count) return
          waiting.delete(look)
          resolve(items)
        }
        waiting.add(look)
        look()
      }),
  }
}

/** A port of this machine on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Accepts connections, then does `what` with them; by default nothing at all. */
export async function tcpPeer(what: (socket: Socket) => void = () => undefined): Promise<Peer> {
  const port = await freePort()
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    what(socket)
  })
  return {
    url: `tcp://127.0.0.1:${port}`,
    port,
    arrived: inbox(),
    start: () => listening(server, port),
    async kill() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A request as a webhook's server got it. */
export interface HookRequest {
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** A server of webhooks; `answer` decides what it says to each, by default 204. */
export async function hookPeer(
  answer: (request: HookRequest, response: ServerResponse, count: number) => void = (_, response) =>
    void response.writeHead(204).end(),
): Promise<Peer & { readonly requests: readonly HookRequest[] }> {
  const port = await freePort()
  const arrived = inbox()
  const requests: HookRequest[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const hook = { headers: request.headers, body: Buffer.concat(chunks) }
      requests.push(hook)
      answer(hook, response, requests.length)
      if (response.statusCode < 300 && response.writableEnded) arrived.add(hook.body.toString())
    })
  })
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    arrived,
    requests,
    start: () => listening(server, port),
    async kill() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** A WebSocket server. @param greet what it does with each connection besides listening */
export async function socketPeer(
  greet: (socket: WebSocket) => void = () => undefined,
  autoPong = true,
): Promise<Peer> {
  const port = await freePort()
  const arrived = inbox()
  let server: WebSocketServer | undefined
  return {
    url: `ws://127.0.0.1:${port}/socket`,
    port,
    arrived,
    async start() {
      server = new WebSocketServer({ host: '127.0.0.1', port, autoPong })
      server.on('connection', (socket) => {
        socket.on('error', () => undefined)
        socket.on('message', (text: Buffer) => arrived.add(text.toString()))
        greet(socket)
      })
      await once(server, 'listening')
    },
    async kill() {
      for (const client of server?.clients ?? []) client.terminate()
      await new Promise((resolve) => server?.close(resolve))
    },
  }
}

async function listening(server: Server | ReturnType<typeof createTcpServer>, port: number) {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

/** How a Mosquitto is set up. */
export interface MosquittoOptions {
  readonly user?: string
  readonly password?: string
  /** PEM files: then it speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

/** A Mosquitto broker; `arrived` holds `<qos> <topic> <payload>` of everything, as mosquitto_sub prints it. */
export async function mosquittoPeer(options: MosquittoOptions = {}): Promise<Peer> {
  const { user, password, tls } = options
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'heliograph-mosquitto-'))
  const arrived = inbox()
  const login = user === undefined ? [] : ['-u', user, '-P', password ?? '']
  let children: ChildProcess[] = []
  const file = join(folder, 'conf')
  writeFileSync(file, configuration(port, folder, options))
  return {
    url: `${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`,
    port,
    arrived,
    async start() {
      const broker = spawn('mosquitto', ['-c', file], { stdio: 'ignore' })
      children = [broker]
      await accepting(port)
      if (tls) return
      const listen = ['-p', String(port), ...login, '-q', '1', '-t', '#', '-F', '%q %t %p']
      const listener = spawn('stdbuf', ['-oL', 'mosquitto_sub', '-d', ...listen], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      children.push(listener)
      await new Promise<void>((resolve) => {
        createInterface(listener.stdout).on('line', (line) => {
          if (line.startsWith('Subscribed')) resolve()
          else if (/^\d \S/.test(line)) arrived.add(line)
        })
      })
    },
    async kill() {
      const ended = children.map(
        (child) => child.exitCode ?? child.signalCode ?? once(child, 'exit'),
      )
      for (const child of children.reverse()) child.kill('SIGKILL')
      await Promise.all(ended)
      children = []
      rmSync(join(folder, 'db'), { force: true })
    },
  }
}

function configuration(
  port: number,
  folder: string,
  { user, password, tls }: MosquittoOptions,
): string {
  const lines = [`listener ${port} 127.0.0.1`, 'user root', 'set_tcp_nodelay true']
  if (tls) lines.push(`certfile ${tls.certificate}`, `keyfile ${tls.key}`)
  if (user === undefined) return [...lines, 'allow_anonymous true', ''].join('\n')
  const passwords = join(folder, 'passwords')
  execFileSync('mosquitto_passwd', ['-b', '-c', passwords, user, password ?? ''])
  return [...lines, 'allow_anonymous false', `password_file ${passwords}`, ''].join('\n')
}

/** Resolves when something accepts connections at `port`. */
async function accepting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isUp = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
