import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import type { Sink } from '../../agent/core/stages.ts'
import { liveFrames } from '../../agent/media/frame-count.ts'
import { createSink } from '../../agent/sinks/registry.ts'
import type { SinkContext } from '../../agent/sinks/sink-context.ts'
import type { OutputSpec } from '../../schemas/control.ts'
import { give, result, sinkContext, type Told } from '../agent/sinks/surroundings.ts'

/** A destination that is there, and what arrived. */
export interface Place {
  readonly spec: OutputSpec
  readonly context?: Partial<SinkContext>
  /** The `seq` of what arrived, in order, when there are at least `count`. */
  arrived(told: Told, count: number): Promise<readonly number[]>
}

/** A destination in trouble. */
export interface Trouble {
  readonly spec: OutputSpec
  readonly context?: Partial<SinkContext>
  /** What goes wrong while the sink is open. */
  readonly happens?: () => Promise<void>
  /** What the error has to name. */
  readonly cause: RegExp
}

/** How one kind of sink is tested. Every password in it is `secretWord`. */
export interface SinkCase {
  working(): Promise<Place>
  readonly troubles: Readonly<Record<string, () => Promise<Trouble>>>
  /** Destinations that it must not reach. */
  readonly forbidden: Readonly<Record<string, () => Trouble>>
}

/** Must never turn up in an error. */
export const secretWord = 'geheim42'

/** How long closing may take, ms: the wait for what is under way is 1 s. */
const CLOSING_MS = 3000

/** What every sink must keep to, wherever it writes. */
export function conformsToSink(name: string, { working, troubles, forbidden }: SinkCase): void {
  describe(`${name} conforms to Sink`, () => {
    afterEach(() => expect(liveFrames()).toBe(0))

    it('delivers everything it is given, in order', async () => {
      const place = await working()
      const { sink, told } = make(place)
      await sink.open()
      const all = Array.from({ length: 20 }, (_, seq) => give(sink, result(seq)))
      await settledInWaves(sink, all)
      expect(await place.arrived(told, 20)).toEqual(Array.from({ length: 20 }, (_, seq) => seq))
      await sink.close()
    })

    it('finishes what is under way when it is closed', async () => {
      const place = await working()
      const { sink, told } = make(place)
      await sink.open()
      const written = give(sink, result(0))
      await sink.close()
      expect(await place.arrived(told, 1)).toEqual([0])
      await written
    })

    it('leaves nothing open, whenever it is closed', async () => {
      const place = await working()
      await openAndClose(place)
      const before = handles()
      await expectClosed(make(place).sink.close())
      await openAndClose(place)
      const opening = make(place).sink
      const opened = opening.open().catch((error: unknown) => error)
      await expectClosed(opening.close())
      await opened
      await opening.close()
      const busy = make(place).sink
      await busy.open()
      const writes = [0, 1, 2].map((seq) => give(busy, result(seq)).catch(() => undefined))
      await expectClosed(busy.close())
      await Promise.all(writes)
      await expect.poll(handles, { timeout: 5000 }).toBeLessThanOrEqual(before)
    })

    it.each(Object.keys(troubles))(
      'tells what is wrong with a destination that %s',
      async (kind) => {
        const trouble = await find(troubles, kind)()
        const before = handles()
        const { sink, told } = make(trouble)
        const error = await firstTrouble(sink, told, trouble.happens)
        expect(error).toBeInstanceOf(AgentError)
        expect(error).toMatchObject({ code: 'SINK_FAILED', retryable: true })
        expect(error.message).toMatch(trouble.cause)
        expect(everything(error)).not.toContain(secretWord)
        await expectClosed(sink.close())
        if (!trouble.happens) {
          await expect.poll(handles, { timeout: 5000 }).toBeLessThanOrEqual(before + 1)
        }
      },
    )

    it.each(Object.keys(forbidden))('refuses %s', async (kind) => {
      const place = find(forbidden, kind)()
      const error = await openingProblem(place)
      expect(error).toMatchObject({ code: 'SINK_FORBIDDEN', retryable: false })
      expect(error).toHaveProperty('message', expect.stringMatching(place.cause))
      expect(everything(error)).not.toContain(secretWord)
    })
  })
}

function make({ spec, context }: Pick<Place, 'spec' | 'context'>): { sink: Sink; told: Told } {
  const surroundings = sinkContext(context)
  const sink = createSink(spec, surroundings.context)
  onTestFinished(() => sink.close())
  return { sink, told: surroundings.told }
}

function find<Value>(all: Readonly<Record<string, Value>>, name: string): Value {
  const found = all[name]
  if (found === undefined) throw new Error(`there is no '${name}'`)
  return found
}

/** Some may be given up where pictures come faster than they are encoded; the caller slows down then. */
async function settledInWaves(sink: Sink, writes: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(writes)
  for (const [seq, { status }] of results.entries()) {
    if (status === 'rejected') await give(sink, result(seq))
  }
}

async function openAndClose(place: Place): Promise<void> {
  const { sink } = make(place)
  await sink.open()
  await give(sink, result(0))
  await expectClosed(sink.close())
}

async function expectClosed(closed: Promise<void>): Promise<void> {
  const start = performance.now()
  await closed
  expect(performance.now() - start).toBeLessThan(CLOSING_MS)
}

/** Whichever way the sink says it: by `open`, by a `write`, or by itself. */
async function firstTrouble(sink: Sink, told: Told, happens = async () => {}): Promise<AgentError> {
  try {
    await sink.open()
    await happens()
    return await Promise.race([told.trouble(), failedWrite(sink, told)])
  } catch (error) {
    return error as AgentError
  }
}

async function failedWrite(sink: Sink, told: Told): Promise<AgentError> {
  for (let seq = 0; ; seq += 1) {
    const error = await give(sink, result(seq)).catch((reason: unknown) => reason)
    if (error) return told.losses.at(-1) ?? (error as AgentError)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function openingProblem(place: Trouble): Promise<unknown> {
  try {
    const { sink } = make(place)
    await sink.open()
    await give(sink, result(0))
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

/** An error with its causes and stack, as a log might show it. */
function everything(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message}\n${error.stack}\n${JSON.stringify(error)}\n${everything(error.cause)}`
}

/** Open files and sockets of this process, and its timers. */
function handles(): number {
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')
  return readdirSync('/proc/self/fd').length + timers.length
}
