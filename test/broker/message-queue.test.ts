import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../broker/limits.ts'
import { messageQueue } from '../../broker/message-queue.ts'

function message(brokerCounter: number, bytes = 0) {
  return { cmd: 'publish', topic: 'a', payload: Buffer.alloc(bytes), brokerCounter }
}

describe('a message queue', () => {
  it('keeps messages until they are acknowledged, whatever came between', () => {
    const queue = messageQueue(defaultLimits, { bytes: 0 })
    for (const counter of [1, 2, 3]) queue.put(message(counter))
    queue.sent({ ...message(2), messageId: 20 })
    queue.sent({ ...message(1), messageId: 10 })
    queue.sent({ ...message(99), messageId: 99 })
    expect(queue.acknowledge(99)).toBeUndefined()
    expect(queue.acknowledge(20)?.brokerCounter).toBe(2)
    expect(queue.acknowledge(20)).toBeUndefined()
    expect(queue.messages.map(({ brokerCounter }) => brokerCounter)).toEqual([1, 3])
  })

  it('keeps the PUBREL in place of a QoS 2 message that was received', () => {
    const usage = { bytes: 0 }
    const queue = messageQueue(defaultLimits, usage)
    queue.put(message(1, 1000))
    const before = usage.bytes
    queue.sent({ ...message(1), messageId: 7 })
    queue.sent({ cmd: 'pubrel', messageId: 7 })
    expect(queue.messages).toEqual([{ cmd: 'pubrel', messageId: 7 }])
    expect(usage.bytes).toBe(before - 1000)
    expect(queue.acknowledge(7)?.cmd).toBe('pubrel')
    expect(usage.bytes).toBe(0)
  })

  it('is bounded in bytes, its own and those of all together', () => {
    const limits = { ...defaultLimits, queuedBytes: 3000, allQueuedBytes: 5000 }
    const usage = { bytes: 0 }
    const [first, second] = [messageQueue(limits, usage), messageQueue(limits, usage)]
    expect([first.put(message(1, 2000)), first.put(message(2, 2000))]).toEqual([true, false])
    expect([second.put(message(1, 2000)), second.put(message(2, 400))]).toEqual([true, false])
    first.clear()
    expect(second.put(message(2, 400))).toBe(true)
  })
})
