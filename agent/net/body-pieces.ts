import type { IncomingMessage } from 'node:http'

/** Pieces that every body may come in. */
const FREE_PIECES = 2000
/** Of more pieces than those, on average. */
const LEAST_BYTES = 64

/**
 * Calls `tooFine` once for a body that comes in very many very small chunks: each costs a hundred times its bytes, in memory
 * and time, before anybody has read it.
 */
export function limitPieces(request: IncomingMessage, tooFine: (detail: string) => void): void {
  const { push } = request
  let pieces = 0
  let bytes = 0
  let isRefused = false
  // The parser calls it for each piece.
  request.push = (piece, encoding) => {
    pieces += 1
    bytes += piece?.length ?? 0
    if (!isRefused && pieces > FREE_PIECES && bytes < pieces * LEAST_BYTES) {
      isRefused = true
      tooFine(`the body comes in ${pieces} chunks of fewer than ${LEAST_BYTES} bytes`)
    }
    return isRefused ? false : push.call(request, piece, encoding)
  }
}
