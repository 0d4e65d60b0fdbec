import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'
import type { AddressRules } from '../core/addresses.ts'
import { AgentError } from '../core/errors.ts'
import type { Side } from './side.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Decides which network addresses may be connected to. */
export interface AddressPolicy {
  /** Who connects, for errors. */
  readonly side: Side
  /**
   * Whether `address`, an IP address in text, may be connected to at `port`; the reason if not.
   */
  refusal(address: string, port: number): string | undefined
}

interface Rule {
  readonly network: Address
  readonly bits: number
  readonly refused: boolean
  readonly reason: string
}

/** What is refused unless the configuration allows it. Private and loopback addresses are not here. */
const builtIn: readonly (readonly [string, string])[] = [
  ['0.0.0.0/8', 'is not an address of a machine'],
  ['::/128', 'is not an address of a machine'],
  ['169.254.0.0/16', 'is link-local'],
  ['fe80::/10', 'is link-local'],
  ['169.254.169.254/32', 'is a cloud metadata service'],
  ['169.254.170.2/32', 'is a cloud metadata service'],
  ['100.100.100.200/32', 'is a cloud metadata service'],
  ['fd00:ec2::254/128', 'is a cloud metadata service'],
  ['fd20:ce::254/128', 'is a cloud metadata service'],
  ['224.0.0.0/4', 'is a multicast address'],
  ['ff00::/8', 'is a multicast address'],
  ['240.0.0.0/4', 'is reserved'],
]

/**
 * The policy of `rules`: of all blocks that an address lies in the narrowest decides, a configured
 * one before a built-in one of its size, `deny` before `allow`. The agent's own ports on this
 * machine's addresses are refused in any case.
 * @throws AgentError CONFIG_INVALID for something that is no CIDR block
 */
export function addressPolicy(
  rules: AddressRules,
  side: Side,
  ownAddresses: () => readonly string[] = addressesOfThisMachine,
): AddressPolicy {
  const table = [
    ...rules.deny.map((block) => rule(block, true, `lies in ${block}`, side.setting)),
    ...rules.allow.map((block) => rule(block, false, '', side.setting)),
    ...builtIn.map(([block, reason]) => rule(block, true, reason, side.setting)),
  ]
  return {
    side,
    refusal(text, port) {
      const address = embedded(parse(text))
      if (!address) return 'is no IP address'
      if (rules.ownPorts.includes(port) && isOwn(address, ownAddresses())) {
        return `is this agent itself at its own port ${port}`
      }
      const decisive = narrowest(table.filter((entry) => contains(entry, address)))
      return decisive?.refused ? decisive.reason : undefined
    },
  }
}

/** The refusal of a connection, naming the address. */
export function forbiddenAddress(
  name: string,
  address: string,
  reason: string,
  side: Side,
): AgentError {
  return new AgentError(
    side.forbidden,
    `${name} leads to ${address}, which ${reason}; extend ${side.setting}.allow if that is intended`,
  )
}

function rule(block: string, refused: boolean, reason: string, setting: string): Rule {
  try {
    const [network, bits] = ipaddr.parseCIDR(block)
    return { network, bits, refused, reason }
  } catch (error) {
    throw new AgentError(
      'CONFIG_INVALID',
      `${setting}: '${block}' is no CIDR block; 192.168.1.0/24 and fd00::/8 are examples`,
      { cause: error },
    )
  }
}

function parse(text: string): Address | undefined {
  const plain = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  return ipaddr.isValid(plain) ? ipaddr.parse(plain) : undefined
}

/** The IPv4 address that an IPv6 address stands for (mapped, compatible, translated, 6to4), or itself. */
function embedded(address: Address | undefined): Address | undefined {
  if (!(address instanceof ipaddr.IPv6)) return address
  const { parts } = address
  const last = ipv4(parts[6], parts[7])
  const start = parts.slice(0, 6).join(':')
  const translated = ['0:0:0:0:0:65535', '0:0:0:0:65535:0', '100:65435:0:0:0:0']
  if (translated.includes(start)) return last
  const isCompatible = start === '0:0:0:0:0:0' && (parts[6] !== 0 || (parts[7] ?? 0) > 1)
  if (isCompatible) return last
  return parts[0] === 0x2002 ? ipv4(parts[1], parts[2]) : address
}

function ipv4(high = 0, low = 0): ipaddr.IPv4 {
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255])
}

function contains({ network, bits }: Rule, address: Address): boolean {
  if (network instanceof ipaddr.IPv4) {
    return address instanceof ipaddr.IPv4 && address.match(network, bits)
  }
  return address instanceof ipaddr.IPv6 && address.match(network, bits)
}

/** Rules of one width keep their order: the first wins. */
function narrowest(rules: readonly Rule[]): Rule | undefined {
  return rules.toSorted((a, b) => b.bits - a.bits)[0]
}

function isOwn(address: Address, own: readonly string[]): boolean {
  if (address.range() === 'loopback' || address.range() === 'unspecified') return true
  return own.some((text) => embedded(parse(text))?.toString() === address.toString())
}

function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map((entry) => entry.address),
  )
}
