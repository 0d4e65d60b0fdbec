import { Duplex } from 'node:stream'
import type { Limits } from './limits.ts'
import { packetMeter } from './packet-meter.ts'
import type { Transport } from './transport.ts'

/** One client's connection: the stream that Aedes reads and writes, and what the broker knows of it. */
export interface Connection {
  readonly kind: Transport['kind']
  readonly stream: Duplex
  /** Bytes that the client has not taken yet. */
  backlog(): number
  /** Waits until the backlog is below `bytes`, or the connection has ended. */
  drained(bytes: number): Promise<void>
  /** The CONNECT was accepted: whatever follows it may be read. */
  accept(): void
  /** Closes after what was sent. */
  end(): void
}

/** How long what a client sent before it left may take to be carried out, ms. */
const lastWordsMs = 5000

/**
 * Puts sizes and backpressure between a transport and Aedes. Writing never reports a full buffer:
 * Aedes would make every publisher wait for the slowest subscriber. What a slow subscriber loses is
 * decided where messages are forwarded.
 */
export function connection(transport: Transport, limits: Limits): Connection {
  const waiting = new Set<() => void>()
  const stream = new Duplex({
    readableHighWaterMark: 64 * 1024,
    writableHighWaterMark: Number.MAX_SAFE_INTEGER,
    read: () => inbound.resume(),
    write: (chunk: Buffer, _encoding, done) => send([chunk], done),
    writev: (writes, done) =>
      send(
        writes.map(({ chunk }) => chunk as Buffer),
        done,
      ),
    final(done) {
      transport.end()
      done()
    },
    destroy(error, done) {
      transport.destroy()
      done(error)
      wake()
    },
  })

  function send(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    transport.send(chunks, (error) => {
      done(error)
      wake()
    })
  }
  function wake(): void {
    for (const check of [...waiting]) check()
  }
  const inbound = receive(transport, stream, limits)

  return {
    kind: transport.kind,
    stream,
    backlog: () => stream.writableLength,
    drained: (bytes) =>
      new Promise((resolve) => {
        function check(): void {
          if (!stream.destroyed && stream.writableLength >= bytes) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    accept: inbound.accept,
    end: () => stream.end(),
  }
}

/** Moves what the client sends into `stream`, a first packet at most until the client is accepted. */
function receive(transport: Transport, stream: Duplex, limits: Limits) {
  const problemIn = packetMeter(limits)
  let unknownBytes = 0
  let accepted = false

  function resume(): void {
    if (accepted || unknownBytes <= limits.connectBytes) transport.resume()
  }
  transport.listen({
    data(bytes) {
      if (stream.destroyed) return
      const problem = problemIn(bytes) ?? unreadProblem(stream, limits)
      if (problem) {
        stream.destroy(new Error(problem))
        return
      }
      unknownBytes += bytes.length
      const wantsMore = stream.push(bytes)
      if (!wantsMore || (!accepted && unknownBytes > limits.connectBytes)) transport.pause()
    },
    closed() {
      if (stream.destroyed) return
      // What the client sent before it left still counts: end, and let Aedes read up to the end.
      stream.push(null)
      setTimeout(() => stream.destroy(), lastWordsMs).unref()
    },
  })

  return {
    resume,
    accept(): void {
      accepted = true
      resume()
    },
  }
}

/** A client that sends without ever reading its acknowledgements. */
function unreadProblem(stream: Duplex, limits: Limits): string | undefined {
  const unread = stream.writableLength
  const allowed = limits.closePastBytes + limits.publishBytes
  return unread > allowed ? `${unread} bytes that the client does not read` : undefined
}
