import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { browse } from '../interop/browse.ts'
import { needs } from '../interop/needs.ts'
import { media, startAgentUnderTest } from './agent-under-test.ts'

/** What the page saw. */
interface Report {
  readonly opened: number
  readonly lost: number
  readonly states: readonly string[]
  readonly seen: readonly (readonly [run: string, seq: number])[]
  readonly other: readonly string[]
}

/** A page that listens until it has seen so many results, and reports. */
const page = (results: number): string => `<!doctype html>
<script>
const report = { opened: 0, lost: 0, states: [], seen: [], other: [] }
const source = new EventSource('/services/door/events')
source.onopen = () => { report.opened += 1 }
source.onerror = ({ data }) => { if (data === undefined) report.lost += 1; else report.other.push(data) }
source.addEventListener('state', ({ data }) => report.states.push(JSON.parse(data).payload.state))
for (const type of ['gap', 'dropped', 'fault']) source.addEventListener(type, ({ data }) => report.other.push(data))
source.addEventListener('detections', ({ data }) => {
  const { run, seq } = JSON.parse(data).payload
  report.seen.push([run, seq])
  if (report.seen.length === ${results}) {
    source.close()
    fetch('/report', { method: 'POST', body: JSON.stringify(report) })
  }
})
</script>`

/** Stands between a browser and the agent: serves the page, and cuts each of the first connections. */
async function between(agent: string, cuts: number, content: string) {
  const asked: (string | undefined)[] = []
  const pass = (request: IncomingMessage, response: ServerResponse): void => {
    const id = request.headers['last-event-id']?.toString()
    asked.push(id)
    const cut = asked.length <= cuts
    get(`${agent}${request.url}`, id ? { headers: { 'last-event-id': id } } : {}, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      let results = 0
      answer.on('data', (bytes: Buffer) => {
        results += bytes.toString().split('event: detections').length - 1
        const isEnough = cut && results >= 5
        // Not before the browser has had it: it would not know that it was connected.
        response.write(bytes, () => isEnough && response.destroy())
      })
      answer.on('end', () => response.end())
      response.on('close', () => answer.destroy())
    })
  }
  let report: (value: Report) => void = () => undefined
  const reported = new Promise<Report>((resolve) => {
    report = resolve
  })
  const server = createServer(async (request, response) => {
    if (request.url?.includes('/events')) return pass(request, response)
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    if (request.url !== '/report') return response.end(content)
    let body = ''
    for await (const chunk of request) body += chunk
    response.end()
    report(JSON.parse(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked, reported }
}

/** So many that the second connection, which catches up, is cut before it has them all. */
const results = 100

describe.skipIf(!needs('chromium', 'chromium'))("a browser's EventSource", () => {
  it('gets every result, although its connection is cut twice', async () => {
    const agent = await startAgentUnderTest()
    onTestFinished(() => agent.stop())
    const input = { gate: { url: `file://${media('dog.mp4')}`, loop: true, fps: 10 } }
    await agent.ask('$cmd/service/add', { service: 'door', input })
    await agent.next('door/detections/gate', undefined, 0)
    const { url, asked, reported } = await between(agent.running.addresses.http, 2, page(results))
    await browse(url)
    const { opened, lost, states, seen, other } = await reported
    expect({ opened, lost, other }).toEqual({ opened: 3, lost: 2, other: [] })
    expect(states).toEqual(['running'])
    expect(asked).toEqual([undefined, expect.any(String), expect.any(String)])
    const published = agent.heard
      .filter(({ topic }) => topic === agent.topic('door/detections/gate'))
      .map(({ value }) => [value.run, value.seq])
    const from = published.findIndex(([run, seq]) => run === seen[0]?.[0] && seq === seen[0]?.[1])
    expect(seen).toEqual(published.slice(from, from + results))
  }, 90_000)
})
