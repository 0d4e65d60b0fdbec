import { describe, expect, it } from 'vitest'
import { addressPolicy } from '../../../agent/net/addresses.ts'
import { checkedAddress, resolvedAddress } from '../../../agent/net/checked-address.ts'
import { forInputs, forOutputs } from '../../../agent/net/side.ts'

const rules = { deny: [], allow: [], ownPorts: [1883] }
const outputs = addressPolicy(rules, forOutputs)

describe('checkedAddress', () => {
  it.each([
    ['mqtt://10.0.0.1/t', '10.0.0.1', 1883],
    ['mqtts://10.0.0.1/t', '10.0.0.1', 8883],
    ['https://[fd00::1]/hook', 'fd00::1', 443],
    ['ws://user:geheim@broker:9001/x', 'broker', 9001],
    ['rtmp://10.0.0.1/live', '10.0.0.1', 1935],
  ])('reads host and port of %s', (url, host, port) => {
    expect(checkedAddress(new URL(url), outputs)).toMatchObject({ host, port })
  })

  it.each([
    ['the metadata service', 'http://169.254.169.254/x'],
    ['the same as IPv6', 'ws://[::ffff:a9fe:a9fe]/x'],
    ["the agent's own broker", 'mqtt://127.0.0.1/x'],
  ])('refuses %s', (_name, url) => {
    expect(() => checkedAddress(new URL(url), outputs)).toThrow(
      expect.objectContaining({ code: 'SINK_FORBIDDEN', retryable: false }),
    )
  })

  it('names the setting of its side, and no credentials', () => {
    const url = new URL('mqtt://user:geheim@169.254.169.254/topic?token=geheim')
    for (const side of [forInputs, forOutputs]) {
      const check = () => checkedAddress(url, addressPolicy(rules, side))
      expect(check).toThrow(expect.objectContaining({ code: side.forbidden }))
      expect(check).toThrow(side.setting)
      expect(check).not.toThrow('geheim')
    }
  })
})

describe('resolvedAddress', () => {
  it('checks the addresses that a name resolves to', async () => {
    expect(await resolvedAddress(new URL('rtsp://localhost:8554/x'), outputs)).toMatch(/^127|^::1$/)
    await expect(resolvedAddress(new URL('mqtt://localhost/x'), outputs)).rejects.toMatchObject({
      code: 'SINK_FORBIDDEN',
      message: expect.stringMatching(/own port 1883/),
    })
  })

  it('checks what other notations of an address resolve to', async () => {
    await expect(resolvedAddress(new URL('mqtt://0x7f.1/x'), outputs)).rejects.toMatchObject({
      code: 'SINK_FORBIDDEN',
    })
  })

  it('gives an address as it is', async () => {
    expect(await resolvedAddress(new URL('rtsp://10.0.0.7/x'), outputs)).toBe('10.0.0.7')
  })
})
