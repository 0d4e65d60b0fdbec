import { describe, expect, it } from 'vitest'
import { agentTopic, replyPrefix, serviceTopic, topicRole } from '../../schemas/address.ts'
import { ID_PATTERN, isId, RESERVED_IDS } from '../../schemas/ids.ts'
import { topics } from '../../schemas/topics.ts'

const book = { root: 'edge', agent: 'porch' }

describe('addresses', () => {
  it('puts agent and service topics below the root, the version and the agent', () => {
    expect(agentTopic(book, '$state')).toBe('edge/1/porch/$state')
    expect(serviceTopic(book, 'door', 'input/set')).toBe('edge/1/porch/door/input/set')
    expect(replyPrefix(book)).toBe('edge/1/$reply/')
  })

  it.each([
    ['edge/1/porch/door/input/set', { role: 'control', service: 'door', name: 'input/set' }],
    ['edge/1/porch/door/output/set', { role: 'control', service: 'door', name: 'output/set' }],
    ['edge/1/porch/door/model/set', { role: 'control', service: 'door', name: 'model/set' }],
    ['edge/1/porch/door/compute', { role: 'control', service: 'door', name: 'compute' }],
    ['edge/1/porch/$cmd/ping', { role: 'command', name: 'ping' }],
    ['edge/1/porch/$cmd/service/add', { role: 'command', name: 'service/add' }],
    ['edge/1/porch/door/input', { role: 'own', service: 'door' }],
    ['edge/1/porch/door/input/set/more', { role: 'own', service: 'door' }],
    ['edge/1/porch/door/input/SET', { role: 'own', service: 'door' }],
    ['edge/1/porch/door/compute/', { role: 'own', service: 'door' }],
    ['edge/1/porch/door', { role: 'own', service: 'door' }],
    ['edge/1/porch/door/detections/gate', { role: 'own', service: 'door' }],
    ['edge/1/porch/Door/compute', { role: 'own' }],
    ['edge/1/porch/args/compute', { role: 'own' }],
    ['edge/1/porch//compute', { role: 'own' }],
    ['edge/1/porch/$state', { role: 'own' }],
    ['edge/1/porch/$cmd', { role: 'own' }],
    ['edge/1/porch/$cmd/', { role: 'own' }],
    ['edge/1/porch', { role: 'own' }],
    ['edge/1/', { role: 'own' }],
    ['edge/1/other/door/compute', { role: 'own' }],
    ['edge/1/$reply/console', { role: 'own' }],
    ['edge/1/$all/door/compute', { role: 'own' }],
    ['edge/1', { role: 'foreign' }],
    ['edge/10/porch/door/compute', { role: 'foreign' }],
    ['Edge/1/porch/door/compute', { role: 'foreign' }],
    ['/edge/1/porch/door/compute', { role: 'foreign' }],
    ['cam/a', { role: 'foreign' }],
    ['', { role: 'foreign' }],
  ])('reads %j as %j', (topic, role) => {
    expect(topicRole(book, topic)).toEqual(role)
  })

  it('works below a root of several levels', () => {
    const deep = { root: 'site/hall', agent: 'porch' }
    expect(topicRole(deep, 'site/hall/1/porch/door/compute')).toMatchObject({ role: 'control' })
    expect(topicRole(deep, 'site/1/porch/door/compute')).toEqual({ role: 'foreign' })
  })

  it('takes every control topic of the contract as control or command, and no other', () => {
    for (const { path, scope, way } of Object.values(topics)) {
      const prefix = { root: 'edge/1', agent: 'edge/1/porch', service: 'edge/1/porch/door' }[scope]
      const { role } = topicRole(book, `${prefix}/${path.replace(/\{\w+\}/g, 'x')}`)
      expect([path, role === 'control' || role === 'command']).toEqual([path, way === 'in'])
    }
  })
})

describe('ids', () => {
  it.each(['a', '0', 'gate-2', 'gate_2', 'a'.repeat(63)])('takes %j', (id) => {
    expect(isId(id)).toBe(true)
    expect(new RegExp(ID_PATTERN).test(id)).toBe(true)
  })

  it.each([
    '',
    'Gate',
    '$gate',
    '-gate',
    '_gate',
    'ga te',
    'a/b',
    'a#',
    'a+',
    'a\n',
    'ä',
    'a'.repeat(64),
  ])('refuses %j', (id) => {
    expect(isId(id)).toBe(false)
  })

  it.each(RESERVED_IDS)('refuses %j, which means something else where ids stand', (id) => {
    expect(isId(id)).toBe(false)
  })
})
