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

/** Packets of one client that are carried out before the others have their turn. */
const packetsPerTurn = 64

/**
 * Puts sizes and backpressure between a transport and Aedes. Writing never reports a full buffer:
 * Aedes would make every publisher wait for the slowest subscriber. What a slow subscriber loses is
 * decided where messages are forwarded.
 */
export function connection(transport: Transport, limits: Limits): Connection {
  const waiting = new Set<() => void>()
  const stream = new Duplex({
    // One portion at a time: Aedes reads all there is at once.
    readableHighWaterMark: 1,
    writableHighWaterMark: Number.MAX_SAFE_INTEGER,
    read: () => inbound.want(),
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
    for (const check of waiting) check()
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

/** Moves what the client sends into `stream`, in portions; before it is accepted, its CONNECT only. */
function receive(transport: Transport, stream: Duplex, limits: Limits) {
  const portionOf = packetMeter(limits)
  const queue: Buffer[] = []
  let state: 'unknown' | 'judged' | 'accepted' = 'unknown'
  let wanted = true
  let scheduled = false
  let ended = false

  function pump(): void {
    scheduled = false
    const [bytes] = queue
    if (!wanted || stream.destroyed || state === 'judged') return
    if (bytes) pass(bytes)
    if (queue.length > 0) transport.pause()
    else if (ended) stream.push(null)
    else transport.resume()
  }
  function pass(bytes: Buffer): void {
    const portion = portionOf(bytes, state === 'accepted' ? packetsPerTurn : 1)
    const problem = portion.problem ?? unreadProblem(stream, limits)
    if (problem) {
      stream.destroy(new Error(problem))
      return
    }
    if (state === 'unknown' && portion.packets > 0) state = 'judged'
    if (portion.length < bytes.length) queue[0] = bytes.subarray(portion.length)
    else queue.shift()
    wanted = stream.push(bytes.subarray(0, portion.length))
  }
  function pumpLater(): void {
    if (!scheduled) setImmediate(pump)
    scheduled = true
  }
  transport.listen({
    data(bytes) {
      queue.push(bytes)
      if (scheduled || queue.length > 1) transport.pause()
      else pump()
    },
    closed() {
      // What the client sent before it left still counts: Aedes reads up to the end.
      ended = true
      pumpLater()
      const timer = setTimeout(() => stream.destroy(), lastWordsMs).unref()
      stream.once('close', () => clearTimeout(timer))
    },
  })

  return {
    want(): void {
      wanted = true
      pumpLater()
    },
    accept(): void {
      state = 'accepted'
      pumpLater()
    },
  }
}

/** A client that sends without ever reading its acknowledgements. */
function unreadProblem(stream: Duplex, limits: Limits): string | undefined {
  const unread = stream.writableLength
  const allowed = limits.closePastBytes + limits.publishBytes
  return unread > allowed ? `${unread} bytes that the client does not read` : undefined
}
