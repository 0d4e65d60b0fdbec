import { readFile } from 'node:fs/promises'

/** Bytes that went in and out since the machine started. */
export interface Traffic {
  readonly rx: number
  readonly tx: number
}

/** Traffic of the interfaces with a default route; of all but the loopback where there is none. */
export async function readTraffic(): Promise<Traffic> {
  if (process.platform === 'linux') {
    const [devices, routes] = await Promise.all([
      readFile('/proc/net/dev', 'utf8'),
      readFile('/proc/net/route', 'utf8').catch(() => ''),
    ])
    return parseTraffic(devices, routes)
  }
  const { networkStats } = await import('systeminformation/lib/network.js')
  return sum((await networkStats()).map((one) => ({ rx: one.rx_bytes, tx: one.tx_bytes })))
}

/** Reads /proc/net/dev and /proc/net/route, see proc(5). */
export function parseTraffic(devices: string, routes: string): Traffic {
  const routed = routes
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, destination]) => destination === '00000000')
    .map(([name]) => name)
  const interfaces = devices
    .split('\n')
    .slice(2)
    .map((line) => /^\s*(\S+):(.*)$/.exec(line))
    .map((match) => {
      const [rx, , , , , , , , tx] = (match?.[2] ?? '').trim().split(/\s+/).map(Number)
      return { name: match?.[1] ?? 'lo', rx: rx ?? 0, tx: tx ?? 0 }
    })
  const chosen = interfaces.filter(({ name }) =>
    routed.length > 0 ? routed.includes(name) : name !== 'lo',
  )
  return sum(chosen)
}

function sum(all: readonly Traffic[]): Traffic {
  return all.reduce((total, one) => ({ rx: total.rx + one.rx, tx: total.tx + one.tx }), {
    rx: 0,
    tx: 0,
  })
}
