import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AgentError } from '../../../agent/core/errors.ts'
import type { Delivered, Sink } from '../../../agent/core/stages.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { rgbFrame } from '../../../agent/media/rgb-frame.ts'
import type { SinkContext } from '../../../agent/sinks/sink-context.ts'
import type { Item, Result } from '../../../schemas/results.ts'

/** What a sink told its service besides what it was asked. */
export interface Told {
  readonly events: { path?: string; topic?: string; payload: Uint8Array }[]
  readonly troubles: (AgentError | undefined)[]
  readonly losses: AgentError[]
  /** Resolves with the next trouble or loss, or the last one there was. */
  trouble(): Promise<AgentError>
}

/** A context, and what is told to it. */
export function sinkContext(others: Partial<SinkContext> = {}): {
  readonly context: SinkContext
  readonly told: Told
} {
  const waiting: ((error: AgentError) => void)[] = []
  const tell = (error: AgentError | undefined): void => {
    if (error) for (const resolve of waiting.splice(0)) resolve(error)
  }
  const told: Told = {
    events: [],
    troubles: [],
    losses: [],
    trouble() {
      const last = told.losses.at(-1) ?? told.troubles.at(-1)
      return last ? Promise.resolve(last) : new Promise((resolve) => waiting.push(resolve))
    },
  }
  const context: SinkContext = {
    service: 'test',
    output: 'out',
    event: (event) => {
      told.events.push(event)
      return true
    },
    mediaFolder: others.mediaFolder ?? temporaryFolder(),
    topicPrefixes: ['plant/'],
    addresses: { deny: [], allow: [], ownPorts: [] },
    minFreeBytes: 0,
    engine: nodeAvEngine(),
    encoder: 'auto',
    serve: () => ({ write: () => undefined, close: () => undefined }),
    dropped: () => undefined,
    troubled: (error) => {
      told.troubles.push(error)
      tell(error)
    },
    lost: (error) => {
      told.losses.push(error)
      tell(error)
    },
    ...others,
  }
  return { context, told }
}

/** A folder of its own for one test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heliograph-sinks-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A dog of which everything is known. */
export const dog: Item = { label: 'dog', classId: 17, score: 0.75, box: [20, 30, 60, 50] }

/** A result as the pipeline gives it. */
export function result(seq: number, others: Partial<Result> = {}): Result {
  return {
    v: 1,
    kind: 'detections',
    input: 'gate',
    model: 'ssd',
    run: 'k3f9',
    seq,
    capturedAt: Date.UTC(2026, 10, 23, 9, 0, seq),
    publishedAt: 0,
    width: 160,
    height: 120,
    items: [dog],
    ms: { decode: 1, queue: 1, preprocess: 1, infer: 1, postprocess: 1 },
    ...others,
  }
}

/** A grey picture as big as `result` says. */
export const greyFrame = () =>
  rgbFrame({ width: 160, height: 120, data: new Uint8Array(160 * 120 * 3).fill(128) })

/** Gives a sink what it gets from its service, and takes the frame back as the service does. */
export async function give(
  sink: Sink,
  given: Result,
  frame: Delivered['frame'] = greyFrame(),
): Promise<void> {
  try {
    const written = sink.write({ result: given, frame })
    if (sink.keepsFrames) frame.release()
    await written
  } finally {
    if (!sink.keepsFrames) frame.release()
  }
}
