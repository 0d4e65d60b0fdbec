import { describe, expect, it } from 'vitest'
import { filterTree } from '../../broker/filter-tree.ts'

/** Examples of MQTT 3.1.1, sections 4.7.1 and 4.7.2, and a few more. */
const examples = [
  { filter: 'sport/tennis/player1/#', topic: 'sport/tennis/player1', matches: true },
  {
    filter: 'sport/tennis/player1/#',
    topic: 'sport/tennis/player1/score/wimbledon',
    matches: true,
  },
  { filter: 'sport/#', topic: 'sport', matches: true },
  { filter: '#', topic: 'a/b/c', matches: true },
  { filter: 'sport/tennis/+', topic: 'sport/tennis/player1', matches: true },
  { filter: 'sport/tennis/+', topic: 'sport/tennis/player1/ranking', matches: false },
  { filter: 'sport/+', topic: 'sport', matches: false },
  { filter: 'sport/+', topic: 'sport/', matches: true },
  { filter: '+/+', topic: '/finance', matches: true },
  { filter: '/+', topic: '/finance', matches: true },
  { filter: '+', topic: '/finance', matches: false },
  { filter: '#', topic: '$SYS/monitor', matches: false },
  { filter: '+/monitor', topic: '$SYS/monitor', matches: false },
  { filter: 'a/b', topic: 'a/b', matches: true },
  { filter: 'a/b', topic: 'a/B', matches: false },
  { filter: 'a/+/c/#', topic: 'a/b/c/d/e', matches: true },
  { filter: 'a/+/c/#', topic: 'a/b/d', matches: false },
  { filter: 'constructor/+', topic: 'constructor/__proto__', matches: true },
]

describe('a filter tree', () => {
  it.each(examples)('matches $filter with $topic: $matches', ({ filter, topic, matches }) => {
    const tree = filterTree()
    tree.add(filter, 'key')
    expect([...tree.match(topic)]).toEqual(matches ? ['key'] : [])
  })

  it('names each key once, and forgets what is removed', () => {
    const tree = filterTree()
    tree.add('a/#', 'one')
    tree.add('a/b', 'one')
    tree.add('a/+', 'two')
    expect([...tree.match('a/b')].sort()).toEqual(['one', 'two'])
    tree.remove('a/#', 'one')
    tree.remove('a/+', 'two')
    tree.remove('never/added', 'two')
    expect([...tree.match('a/b')]).toEqual(['one'])
    tree.remove('a/b', 'one')
    expect([...tree.match('a/b')]).toEqual([])
  })
})
