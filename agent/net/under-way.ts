import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { sayAndClose } from './linger.ts'
import { problemAnswer, type WebProblem } from './web-problem.ts'

/** Requests that are not answered yet. */
export interface UnderWay {
  readonly draining: boolean
  /** @returns how many of its connection are not answered, this one among them */
  add(request: IncomingMessage, response: ServerResponse): number
  /** The response that is being sent on a connection. */
  current(socket: Socket): ServerResponse | undefined
  /** Answers a request in its handler's stead, if nothing was said yet, and ends its connection. */
  refuse(request: IncomingMessage, problem: WebProblem): void
  /**
   * Takes no more connections; settles when what was accepted is answered, or after `drainMs`. Event streams have no
   * end of their own, and are not waited for.
   */
  drain(): Promise<void>
}

/** Follows the requests of `server`. */
export function underWay(server: Server, drainMs: number): UnderWay {
  const bySocket = new Map<Socket, ServerResponse[]>()
  const known = new WeakSet<Socket>()
  let drained: Promise<void> | undefined
  let settle: (() => void) | undefined

  function keep(socket: Socket, responses: ServerResponse[]): void {
    if (responses.length > 0) bySocket.set(socket, responses)
    else bySocket.delete(socket)
    if (!drained) return
    server.closeIdleConnections()
    if (isDone()) settle?.()
  }
  function isDone(): boolean {
    return [...bySocket.values()].flat().every(isEndless)
  }
  function follow(socket: Socket): void {
    if (known.has(socket)) return
    known.add(socket)
    // Of answers that wait for their turn on a connection, Node does not say that it is gone.
    socket.once('close', () => keep(socket, []))
  }
  const current = (socket: Socket) => bySocket.get(socket)?.[0]
  return {
    get draining() {
      return drained !== undefined
    },
    current,
    add({ socket }, response) {
      follow(socket)
      const pending = [...(bySocket.get(socket) ?? []), response]
      bySocket.set(socket, pending)
      response.once('close', () => {
        const left = (bySocket.get(socket) ?? []).filter((one) => one !== response)
        keep(socket, left)
      })
      return pending.length
    },
    refuse({ socket, url = '/' }, problem) {
      const response = current(socket)
      if (response?.headersSent) {
        socket.destroy()
        return
      }
      sayAndClose(socket, problemAnswer(problem, url))
      socket.pause()
    },
    drain() {
      drained ??= new Promise((resolve) => {
        const timer = setTimeout(resolve, drainMs)
        settle = () => {
          clearTimeout(timer)
          resolve()
        }
        server.close()
        for (const response of [...bySocket.values()].flat()) {
          if (!response.headersSent) response.setHeader('connection', 'close')
        }
        if (isDone()) settle()
      })
      return drained
    },
  }
}

function isEndless(response: ServerResponse): boolean {
  return String(response.getHeader('content-type')).startsWith('text/event-stream')
}
