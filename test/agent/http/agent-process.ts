import { readFile } from 'node:fs/promises'
import { connect } from 'mqtt'
import { rawConnection } from '../../raw-connection.ts'
import { inspect, inspectable } from '../../soak/inspector.ts'
import { scratch, start } from '../cli/heliograph.ts'

/** A built agent in a process of its own: what it uses is its own, too. */
export interface AgentProcess {
  readonly httpPort: number
  readonly pid: number
  /** Memory of the process that nothing else has, in MB. */
  memoryMb(): Promise<number>
  /** The same, after its garbage was collected: what it holds. */
  heldMb(): Promise<number>
  /** Sends bytes on a new connection and tells the status of the first answer; 0: closed without one. */
  says(bytes: string | Buffer): Promise<number>
  /** Whether a client that means well is served: over HTTP, and MQTT over WebSocket. */
  serves(): Promise<void>
  /** Ends it by SIGTERM. @returns how it ended, and what it logged */
  stop(): Promise<{ readonly code: number | null; readonly stderr: string }>
}

/** Starts one without services. @param settings as with `--set` */
export async function agentProcess(settings: readonly string[] = []): Promise<AgentProcess> {
  const data = await scratch()
  const ports = ['--mqtt-port', '0', '--http-port', '0', '--rtsp-port', '0']
  const sets = settings.flatMap((one) => ['--set', one])
  const {
    process: child,
    ended,
    prints,
  } = start(['run', '--data', data, ...ports, ...sets], inspectable)
  const [, found] = await prints(/"http":"https?:\/\/[^"]*:(\d+)"/)
  const httpPort = Number(found)
  const pid = child.pid ?? 0
  let inspector: ReturnType<typeof inspect> | undefined
  async function memoryMb(): Promise<number> {
    const text = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(/RssAnon:\s+(\d+)/.exec(text)?.[1]) / 1024
  }
  return {
    httpPort,
    pid,
    memoryMb,
    async heldMb() {
      inspector ??= inspect(pid)
      await (await inspector).collectGarbage()
      return memoryMb()
    },
    async says(bytes) {
      const { send, closed, socket } = await rawConnection(httpPort)
      await send(bytes)
      socket.end()
      return Number(/^HTTP\/1\.1 (\d{3}) /.exec(await closed)?.[1] ?? 0)
    },
    serves: () => serves(httpPort),
    async stop() {
      void inspector?.then(({ close }) => close())
      child.kill('SIGTERM')
      return ended
    },
  }
}

async function serves(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(5000) })
  if (answer.status !== 200) throw new Error(`GET /ping gave ${answer.status}`)
  await answer.text()
  const client = connect(`ws://127.0.0.1:${port}/mqtt`, {
    reconnectPeriod: 0,
    connectTimeout: 5000,
  })
  await new Promise<void>((resolve, reject) => {
    client
      .once('connect', () => resolve())
      .once('error', reject)
      .once('close', reject)
  })
  client.removeAllListeners('close')
  await client.endAsync(true)
}
