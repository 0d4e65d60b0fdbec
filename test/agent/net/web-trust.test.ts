import { describe, expect, it } from 'vitest'
import { distrust } from '../../../agent/net/web-trust.ts'

const trust = {
  hosts: ['edge.local', '10.0.0.5', '::1'],
  origins: ['https://plant.example', 'null'],
}

describe('a request', () => {
  it.each([
    { host: 'localhost:8080', origin: undefined, address: '127.0.0.1' },
    { host: 'LOCALHOST', origin: undefined, address: '127.0.0.1' },
    { host: '[::1]:8080', origin: 'http://[::1]:8080', address: '::1' },
    { host: 'edge.local', origin: 'http://edge.local', address: '192.168.1.2' },
    { host: 'edge.local', origin: 'https://edge.local', address: '192.168.1.2' },
    { host: '10.0.0.5:8080', origin: 'http://10.0.0.5:8080', address: '10.0.0.5' },
    { host: '192.168.1.2:8080', origin: undefined, address: '::ffff:192.168.1.2' },
    { host: 'localhost:8080', origin: 'https://plant.example', address: '127.0.0.1' },
    { host: 'localhost:8080', origin: 'null', address: '127.0.0.1' },
  ])('of $origin to $host at $address is trusted', (request) => {
    expect(distrust(trust, request)).toBeUndefined()
  })

  it.each([
    { host: undefined, origin: undefined, address: '127.0.0.1', setting: 'http.allowedHosts' },
    { host: '', origin: undefined, address: '127.0.0.1', setting: 'http.allowedHosts' },
    {
      host: 'evil.example',
      origin: undefined,
      address: '127.0.0.1',
      setting: 'http.allowedHosts',
    },
    {
      host: 'localhost.evil.example',
      origin: undefined,
      address: '127.0.0.1',
      setting: 'http.allowedHosts',
    },
    {
      host: '192.168.1.3',
      origin: undefined,
      address: '192.168.1.2',
      setting: 'http.allowedHosts',
    },
    {
      host: 'localhost:8080',
      origin: 'http://localhost:3000',
      address: '127.0.0.1',
      setting: 'http.allowedOrigins',
    },
    {
      host: 'localhost:8080',
      origin: 'http://127.0.0.1:8080',
      address: '127.0.0.1',
      setting: 'http.allowedOrigins',
    },
    {
      host: 'localhost:8080',
      origin: 'http://plant.example',
      address: '127.0.0.1',
      setting: 'http.allowedOrigins',
    },
    {
      host: 'localhost:8080',
      origin: 'nonsense',
      address: '127.0.0.1',
      setting: 'http.allowedOrigins',
    },
    { host: 'localhost:8080', origin: '', address: '127.0.0.1', setting: 'http.allowedOrigins' },
  ])('of $origin to $host at $address is refused, naming $setting', ({ setting, ...request }) => {
    expect(distrust(trust, request)).toContain(setting)
  })
})
