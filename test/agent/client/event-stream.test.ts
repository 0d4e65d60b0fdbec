import { describe, expect, it } from 'vitest'
import { type ServerSentEvent, serverSentEvents } from '../../../agent/client/event-stream.ts'

async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string, size = 1000) {
  const events: ServerSentEvent[] = []
  const retries: number[] = []
  const ids: string[] = []
  const hints = {
    retry: (ms: number) => void retries.push(ms),
    id: (id: string) => void ids.push(id),
  }
  for await (const event of serverSentEvents(inChunks(text, size), hints)) events.push(event)
  return { events, retries, ids }
}

// The examples of the HTML standard, 9.2.6 "Interpreting an event stream".
describe('a stream of server-sent events', () => {
  it('joins several lines of data', async () => {
    const { events } = await read('data: YHOO\ndata: +2\ndata: 10\n\n')
    expect(events).toEqual([{ type: 'message', data: 'YHOO\n+2\n10' }])
  })

  it('passes over comments, keeps ids until they are reset, and drops what is not finished', async () => {
    const text =
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event'
    const { events, ids } = await read(text)
    expect(events.map(({ data }) => data)).toEqual(['first event', 'second event'])
    expect(ids).toEqual(['', '1', ''])
  })

  it('gives an event for empty data, none for no data', async () => {
    const { events } = await read('data\n\nevent: only a name\n\ndata\ndata\n\ndata:')
    expect(events.map(({ data }) => data)).toEqual(['', '\n'])
  })

  it('moves on without an event', async () => {
    const { events, ids } = await read('id: a-1\n\ndata: x\n\n')
    expect(events).toHaveLength(1)
    expect(ids).toEqual(['a-1', 'a-1'])
  })

  it('takes off one blank after the colon, and no more', async () => {
    const { events } = await read('data:test\n\ndata: test\n\ndata:  test\n\n')
    expect(events.map(({ data }) => data)).toEqual(['test', 'test', ' test'])
  })

  it('names events, and knows a server’s wish for patience', async () => {
    const { events, retries } = await read('retry: 2500\nevent: state\ndata: {}\n\nretry: soon\n\n')
    expect(events).toEqual([{ type: 'state', data: '{}' }])
    expect(retries).toEqual([2500])
  })

  it.each(['\n', '\r\n', '\r'])(
    'is the same in chunks of any size with lines that end with %j',
    async (end) => {
      const text = `event: a\ndata: grüße\nid: 7\n\n: beat\n\ndata: b\n\n`.replaceAll('\n', end)
      const whole = (await read(text)).events
      expect(whole).toHaveLength(2)
      for (let size = 1; size < 12; size++) expect((await read(text, size)).events).toEqual(whole)
    },
  )
})
