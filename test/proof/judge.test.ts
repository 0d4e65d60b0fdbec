import { describe, expect, it } from 'vitest'
import { judge } from './judge.ts'
import { madeRecording, sentBad } from './made-recording.ts'
import { indexOfMark, jsonOf, type Message, type Recording } from './recording.ts'

const good = madeRecording()

function failures(recording: Recording): string[] {
  return judge(recording, sentBad)
    .filter(({ passed }) => !passed)
    .map(({ name }) => name)
}

/** The recording without one message: the `nth` on `topic` after the begin of a step. */
function without(step: string, topic: string, nth = 2): Recording {
  const from = indexOfMark(good, { step, phase: 'begin' })
  const found = good.messages.slice(from).filter((message) => message.topic.endsWith(topic))[nth]
  expect(found).toBeDefined()
  return { ...good, messages: good.messages.filter((message) => message !== found) }
}

/** The recording with messages of a step changed; null leaves one out. */
function changed(
  step: string,
  change: (message: Message, value: Record<string, unknown>) => Message | null,
): Recording {
  const from = indexOfMark(good, { step, phase: 'begin' })
  const to = indexOfMark(good, { step, phase: 'end' })
  const messages = good.messages.flatMap((message, at) => {
    if (at <= from || at >= to) return [message]
    const next = change(message, (jsonOf(message) ?? {}) as Record<string, unknown>)
    return next ? [next] : []
  })
  expect(messages).not.toEqual(good.messages)
  return { ...good, messages }
}

const withValue = (message: Message, value: unknown): Message => ({
  ...message,
  payload: Buffer.from(JSON.stringify(value)),
})

describe('the verdicts on a recording', () => {
  it('all pass when everything went well', () => {
    const verdicts = judge(good, sentBad)
    expect(verdicts.filter(({ passed }) => !passed)).toEqual([])
    expect(verdicts.length).toBeGreaterThan(40)
    expect(new Set(verdicts.map(({ name }) => name)).size).toBe(verdicts.length)
  })

  it.each([
    ['start', 'b/detections/clip', ['B: no hole in seq until the death of main']],
    ['segv', 'b/detections/clip', ['B: no hole in seq until the death of main']],
    ['bad', 'b/detections/clip', ['B: no hole in seq until the death of main']],
    ['output', 'a/detections/clip', ["output: A's clip loses nothing"]],
    ['output', 'a/detections/pictures', ["output: A's pictures loses nothing"]],
    ['output', 'a/detections/cam', ["output: A's cam loses nothing"]],
    ['output', 'proof/copy', ['1 output: it opened, copied every result of its time, and went']],
    ['input', 'a/detections/clip', ["input: A's clip loses nothing"]],
    ['input', 'a/detections/cam', ["input: A's cam loses nothing"]],
    ['model', 'a/detections/clip', ["model: A's clip loses nothing"]],
    ['model', 'a/detections/pictures', ["model: A's pictures loses nothing"]],
  ])('see one result missing during %s on %s', (step, topic, names) => {
    expect(failures(without(step, topic))).toEqual(names)
  })

  it('see a result that came twice', () => {
    const twice = good.messages.flatMap((message, at) =>
      at > 300 && message.topic.endsWith('b/detections/clip') ? [message, message] : [message],
    )
    expect(failures({ ...good, messages: twice })).toContain(
      'B: no hole in seq until the death of main',
    )
  })

  it('see that B was silent for a while', () => {
    const paused = changed('stop-signal', (message) =>
      message.topic.endsWith('b/detections/clip') ? null : message,
    )
    expect(failures(paused)).toContain('B: never silent until the death of main')
  })

  it('see that B ended before main did', () => {
    const cut = indexOfMark(good, { step: 'bad', phase: 'begin' })
    const messages = good.messages.filter(
      ({ topic }, at) => at < cut || !topic.endsWith('b/detections/clip'),
    )
    expect(failures({ ...good, messages })).toContain('B: never silent until the death of main')
  })

  it('see an even step in seq that hides skipped frames', () => {
    const skipped = changed('start', (message, value) =>
      message.topic.endsWith('b/detections/clip') && Number(value.seq) > 9
        ? withValue(message, { ...value, pts: Number(value.pts) + 4 })
        : message,
    )
    expect(failures(skipped)).toEqual(['B: no hole in seq until the death of main'])
  })

  it('see a picture of the feed that was dropped', () => {
    const dropped = changed('input', (message, value) => {
      if (!message.topic.endsWith('a/stats')) return message
      const inputs = value.inputs as Record<string, object>
      return withValue(message, {
        ...value,
        inputs: { ...inputs, cam: { ...inputs.cam, dropped: 1 } },
      })
    })
    expect(failures(dropped)).toEqual(["input: A's cam loses nothing"])
  })

  it('see that an output stayed', () => {
    const stayed = changed('output', (message, value) =>
      message.topic.endsWith('a/output') && !value.extra ? null : message,
    )
    expect(failures(stayed)).toEqual([
      '1 output: it opened, copied every result of its time, and went',
    ])
  })

  it('see that the changed input was not opened anew', () => {
    const same = changed('input', (message, value) =>
      message.topic.endsWith('pictures') && value.run !== 'apictures' ? null : message,
    )
    expect(failures(same)).toContain('2 input: the changed one was opened anew and gives results')
  })

  it('see that the model was not replaced', () => {
    const same = changed('model', (message, value) =>
      message.topic.includes('a/detections')
        ? withValue(message, { ...value, model: 'one' })
        : message,
    )
    expect(failures(same)).toEqual(['3 model: options took effect, then the other model'])
  })

  it.each(['segv', 'stop-signal'])('see after %s that A is late, or not back', (step) => {
    const from = good.messages[indexOfMark(good, { step, phase: 'begin' })]?.at ?? 0
    const late = changed(step, (message) =>
      message.topic.includes('a/detections') && message.at < from + 3200 ? null : message,
    )
    expect(failures(late).some((name) => name.endsWith('A is back'))).toBe(true)
    const never = changed(step, (message) =>
      message.topic.includes('a/detections/cam') ? null : message,
    )
    expect(failures(never).some((name) => name.endsWith('every input of A is back'))).toBe(true)
  })

  it.each(sentBad.map(({ kind, answer }) => [kind, answer] as const))(
    'see that %s was not answered on %s, or with another code',
    (kind, place) => {
      const isAnswer = ({ topic }: Message) =>
        topic.endsWith(place === 'reply' ? '/$reply/proof' : `proof/${place}`)
      const nth = sentBad
        .filter(({ answer }) => answer === place)
        .findIndex((bad) => bad.kind === kind)
      const all = good.messages.filter(isAnswer)
      const answer = all[nth]
      expect(all.length).toBe(sentBad.filter((bad) => bad.answer === place).length)
      const silent = good.messages.filter((message) => message !== answer)
      const other = good.messages.map((message) =>
        message === answer
          ? withValue(message, { ...(jsonOf(message) as object), code: 'INTERNAL' })
          : message,
      )
      for (const messages of [silent, other]) {
        expect(failures({ ...good, messages }).filter((name) => name.includes(kind))).toHaveLength(
          1,
        )
      }
    },
  )

  it('see that a foreign replyTo was obeyed', () => {
    const [first] = good.messages
    const stray = { ...(first as Message), topic: 'proof/foreign' }
    expect(failures({ ...good, messages: [...good.messages, stray] })).toEqual([
      'nothing was published where a foreign replyTo said',
    ])
  })

  it('see what a restart forgot', () => {
    const retainedAfterRestart = good.retainedAfterRestart.map((message) =>
      message.topic.endsWith('a/model')
        ? withValue(message, { ...(jsonOf(message) as object), options: {} })
        : message,
    )
    expect(failures({ ...good, retainedAfterRestart })).toEqual([
      'restart: a/model is desired as before',
    ])
    expect(failures({ ...good, retainedAfterRestart: [] })).toHaveLength(7)
  })

  it('see that nothing runs after the restart', () => {
    const still = changed('kill', (message, value) =>
      String(value.run).endsWith('x') && message.topic.includes('b/') ? null : message,
    )
    expect(failures(still)).toEqual(['restart: b/clip gives results'])
  })

  it('see processes and topics that were left', () => {
    const [first] = good.retainedAtEnd
    const stray = (topic: string) => [...good.retainedAtEnd, { ...(first as Message), topic }]
    expect(failures({ ...good, nativeInMain: ['/a/b.node'] })).toHaveLength(1)
    expect(failures({ ...good, orphans: ['17 node'] })).toHaveLength(1)
    expect(failures({ ...good, processesAtEnd: ['17 node'] })).toHaveLength(1)
    expect(failures({ ...good, retainedAtEnd: stray('edge/1/proof/b/state') })).toHaveLength(1)
    expect(
      failures({ ...good, retainedAtEnd: stray('edge/1/proof/a/detections/clip') }),
    ).toHaveLength(1)
    expect(failures({ ...good, retainedAtEnd: [] })).toHaveLength(2)
  })

  it('see frames that are still alive', () => {
    const alive = changed('stop', (message, value) =>
      withValue(message, {
        ...value,
        inputs: { clip: { ...(value.inputs as { clip: object }).clip, alive: 1 } },
      }),
    )
    expect(failures(alive)).toHaveLength(2)
  })

  it('see a message that the contract does not know', () => {
    const odd = changed('start', (message, value) =>
      message.topic.endsWith('b/detections/clip')
        ? withValue(message, { ...value, extra: 1 })
        : message,
    )
    expect(failures(odd)).toEqual(['every message of the agent is one of the contract, and valid'])
  })

  it('fail where the scenario never got so far', () => {
    const cut = indexOfMark(good, { step: 'segv', phase: 'begin' })
    expect(failures({ ...good, messages: good.messages.slice(0, cut) }).length).toBeGreaterThan(30)
  })
})
