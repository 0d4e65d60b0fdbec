import { expect, it } from 'vitest'
import { parseTraffic } from '../../../agent/metrics/network.ts'

const devices = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0: 634476151   15633    0    0    0     0          0         0  1196881    9854    0    0    0     0       0          0
docker0:    500       5    0    0    0     0          0         0      700       7    0    0    0     0       0          0
`
const head = 'Iface\tDestination\tGateway\tFlags\n'

it('counts the interface with the default route, not the bridges behind it', () => {
  const routes = `${head}eth0\t00000000\t010010AC\t0003\ndocker0\t000011AC\t00000000\t0001\n`
  expect(parseTraffic(devices, routes)).toEqual({ rx: 634_476_151, tx: 1_196_881 })
})

it('counts all but the loopback where no route is the default', () => {
  expect(parseTraffic(devices, head)).toEqual({ rx: 634_476_651, tx: 1_197_581 })
})
