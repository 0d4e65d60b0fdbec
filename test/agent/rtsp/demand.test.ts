import { describe, expect, it } from 'vitest'
import { interleaved, play, rtspClient, sessionOf } from './client.ts'
import { eagerStream, path, testServer, testStream } from './harness.ts'
import { madePacket } from './material.ts'

describe('a stream', () => {
  it('is not wanted before anybody asks', async () => {
    const server = await testServer()
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    await client.ask('OPTIONS', server.url)
    expect(stream.said.items).toEqual([])
    expect(stream.viewers).toBe(0)
  })

  it('stays wanted from DESCRIBE to PLAY, and stops some time after the last viewer', async () => {
    const server = await testServer({}, { lingerMs: 300 })
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    const described = client.ask('DESCRIBE', server.url)
    await stream.said.until((said) => said.includes('key'))
    stream.write(madePacket(0, { key: true }))
    await described
    const session = { Session: sessionOf(await client.ask('SETUP', server.url, interleaved)) }
    const playing = client.ask('PLAY', server.url, session)
    await stream.said.until((said) => said.includes(1))
    stream.write(madePacket(1, { key: true }))
    await playing
    expect(stream.said.items).not.toContain('off')
    const left = performance.now()
    await client.ask('TEARDOWN', server.url, session)
    await stream.said.until((said) => said.at(-1) === 'off')
    expect(performance.now() - left).toBeGreaterThan(290)
    expect(stream.said.items.filter((one) => one === 'on' || one === 'off')).toEqual(['on', 'off'])
  })

  it('is not wanted for long by who only describes it', async () => {
    const server = await testServer({}, { lingerMs: 20, describeMs: 20 })
    const stream = testStream(server)
    await (await rtspClient(server.port)).ask('DESCRIBE', server.url)
    await stream.said.until((said) => said.at(-1) === 'off')
    expect(stream.said.items.filter((one) => one !== 'key')).toEqual(['on', 'off'])
  })

  it('is described at once when its parameter sets are known', async () => {
    const server = await testServer({}, { describeMs: 20 })
    const stream = testStream(server)
    stream.write(madePacket(0, { key: true }))
    const { status } = await (await rtspClient(server.port)).ask('DESCRIBE', server.url)
    expect(status).toBe(200)
    expect(stream.said.items).toEqual(['on'])
  })

  it('is asked for one key picture by viewers who come together, and again while one waits', async () => {
    const server = await testServer({}, { keyMs: 400 })
    const stream = testStream(server)
    const clients = await Promise.all([1, 2, 3, 4].map(() => rtspClient(server.port)))
    const playing = clients.map((client) => play(client, server.url))
    await stream.said.until((said) => said.includes(4))
    expect(stream.said.items.filter((one) => one === 'key')).toEqual(['key'])
    await stream.said.until((said) => said.at(-1) === 'key')
    stream.write(madePacket(0, { key: true }))
    await Promise.all(playing)
    expect(stream.viewers).toBe(4)
  })

  it('says goodbye to its viewers when it closes, and ends their sessions', async () => {
    const server = await testServer()
    const stream = eagerStream(server)
    const client = await rtspClient(server.port)
    const session = await play(client, server.url)
    stream.close()
    const isBye = ({ data }: { data: Buffer }) => data.subarray(-8).readUInt8(1) === 203
    await client.frames.until((frames) => frames.some((one) => one.channel === 1 && isBye(one)))
    expect((await client.ask('GET_PARAMETER', server.url, { Session: session })).status).toBe(454)
    expect((await client.ask('TEARDOWN', server.url, { Session: session })).status).toBe(200)
    expect((await client.ask('TEARDOWN', server.url, { Session: 'other' })).status).toBe(454)
    expect((await client.ask('DESCRIBE', server.url)).status).toBe(404)
  })

  it('is replaced by another offer of its path', async () => {
    const server = await testServer()
    const before = eagerStream(server)
    const client = await rtspClient(server.port)
    const session = await play(client, server.url)
    const after = testStream(server, { as: { codec: 'h264', width: 64, height: 48, fps: 5 } })
    expect([before.viewers, after.viewers]).toEqual([0, 0])
    expect((await client.ask('PLAY', server.url, { Session: session })).status).toBe(454)
    after.write(madePacket(0, { key: true }))
    before.close()
    const { status, body } = await client.ask('DESCRIBE', server.url)
    expect([status, body.includes('a=framesize:96 64-48\r\n')]).toEqual([200, true])
  })

  it('gives up who waits for its description when it closes', async () => {
    const server = await testServer()
    const stream = testStream(server, { at: path })
    const client = await rtspClient(server.port)
    const described = client.ask('DESCRIBE', server.url)
    await stream.said.until((said) => said.includes('key'))
    stream.close()
    expect((await described).status).toBe(404)
    expect(stream.said.items.at(-1)).toBe('off')
  })
})
