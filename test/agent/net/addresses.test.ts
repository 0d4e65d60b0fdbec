import { describe, expect, it } from 'vitest'
import { addressPolicy } from '../../../agent/net/addresses.ts'
import { forInputs } from '../../../agent/net/side.ts'

const machine = () => ['127.0.0.1', '::1', '192.168.1.5', 'fd00::5']

function refusal(address: string, rules: { deny?: string[]; allow?: string[] } = {}, port = 80) {
  const policy = addressPolicy(
    { deny: [], allow: [], ownPorts: [8080], ...rules },
    forInputs,
    machine,
  )
  return policy.refusal(address, port)
}

describe('the address policy', () => {
  it.each([
    '192.168.1.20',
    '10.0.0.1',
    '172.16.3.4',
    '127.0.0.1',
    '::1',
    'fd00::1',
    '100.64.0.1',
    '93.184.216.34',
    '2606:4700::1111',
  ])('allows %s: cameras live on private addresses', (address) => {
    expect(refusal(address)).toBeUndefined()
  })

  it.each([
    ['169.254.169.254', /metadata/],
    ['169.254.1.1', /link-local/],
    ['fe80::1', /link-local/],
    ['fe80::1%eth0', /link-local/],
    ['fd00:ec2::254', /metadata/],
    ['100.100.100.200', /metadata/],
    ['224.0.0.1', /multicast/],
    ['ff02::1', /multicast/],
    ['0.0.0.0', /not an address/],
    ['::', /not an address/],
    ['255.255.255.255', /reserved/],
    ['::ffff:169.254.169.254', /metadata/],
    ['::ffff:a9fe:a9fe', /metadata/],
    ['[::ffff:a9fe:a9fe]', /metadata/],
    ['::ffff:0:a9fe:a9fe', /metadata/],
    ['64:ff9b::a9fe:a9fe', /metadata/],
    ['2002:a9fe:a9fe::1', /metadata/],
    ['::a9fe:a9fe', /metadata/],
    ['nonsense', /no IP address/],
  ])('refuses %s', (address, reason) => {
    expect(refusal(address)).toMatch(reason)
  })

  it.each(['127.0.0.1', '127.1.2.3', '::1', '192.168.1.5', 'fd00::5', '::ffff:192.168.1.5'])(
    "refuses the agent's own port on %s, whatever is allowed",
    (address) => {
      expect(refusal(address, { allow: ['0.0.0.0/0', '::/0', `127.0.0.1/32`] }, 8080)).toMatch(
        /own port/,
      )
      expect(refusal(address, {}, 8081)).toBeUndefined()
    },
  )

  it("allows the agent's own port number on other machines", () => {
    expect(refusal('192.168.1.6', {}, 8080)).toBeUndefined()
  })

  it('lets the narrowest block decide', () => {
    const office = { deny: ['10.0.0.0/8'], allow: ['10.1.0.0/16'] }
    expect(refusal('10.2.0.1', office)).toContain('10.0.0.0/8')
    expect(refusal('10.1.0.1', office)).toBeUndefined()
    const camerasOnly = { deny: ['0.0.0.0/0', '::/0'], allow: ['192.168.7.0/24'] }
    expect(refusal('192.168.7.9', camerasOnly)).toBeUndefined()
    expect(refusal('8.8.8.8', camerasOnly)).toBeDefined()
    expect(refusal('::1', camerasOnly)).toBeDefined()
  })

  it('opens link-local addresses where they are allowed, but not the metadata service among them', () => {
    const zeroconf = { allow: ['169.254.0.0/16'] }
    expect(refusal('169.254.10.1', zeroconf)).toBeUndefined()
    expect(refusal('169.254.169.254', zeroconf)).toMatch(/metadata/)
    expect(refusal('169.254.169.254', { allow: ['169.254.169.254/32'] })).toBeUndefined()
  })

  it('prefers deny where both name the same block', () => {
    expect(refusal('10.0.0.1', { deny: ['10.0.0.0/8'], allow: ['10.0.0.0/8'] })).toBeDefined()
  })

  it('refuses a rule that is no CIDR block', () => {
    expect(() => refusal('10.0.0.1', { deny: ['10.0.0.0'] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })
})
