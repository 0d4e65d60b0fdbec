import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { sayAndClose } from './linger.ts'
import { problemAnswer, type WebProblem } from './web-problem.ts'

type ParserError = NodeJS.ErrnoException & { readonly reason?: string }

/**
 * Answers what is no HTTP with a problem, and ends its connection. @param current the response that is being sent on a
 * connection, which must not be corrupted
 */
export function clientErrors(
  current: (socket: Socket) => ServerResponse | undefined,
): (error: ParserError, socket: Socket) => void {
  const told = new WeakSet<Socket>()
  return (error, socket) => {
    if (told.has(socket)) return
    told.add(socket)
    const response = current(socket)
    const begun = response?.headersSent === true && !response.writableFinished
    if (error.code === 'ECONNRESET' || !socket.writable || begun) socket.destroy()
    else sayAndClose(socket, problemAnswer(problemOf(error), '/'))
  }
}

function problemOf({ code, reason }: ParserError): WebProblem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return tooMuch(431, 'the head of the request is larger than http.limits.headerBytes')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return tooMuch(413, 'the extensions of a chunk are too long')
    case 'ERR_HTTP_REQUEST_TIMEOUT': {
      const detail = 'the request took longer than http.limits.headersMs or requestMs'
      return { status: 408, code: 'TIMEOUT', detail }
    }
    default: {
      const why = (reason ?? code ?? 'unknown').slice(0, 100)
      return { status: 400, code: 'MESSAGE_INVALID', detail: `this is no HTTP/1.1: ${why}` }
    }
  }
}

function tooMuch(status: number, detail: string): WebProblem {
  return { status, code: 'LIMIT_EXCEEDED', detail }
}
