import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Device, InputSpec, ModelOptions } from '../../schemas/control.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Sample, Source } from '../core/stages.ts'
import { createEngine } from '../media/registry.ts'
import { createSource } from '../sources/registry.ts'
import { type CrashPlace, crashRecord } from './crash-record.ts'
import { InferenceHost } from './inference-host.ts'
import { inferenceThread } from './inference-threads.ts'
import { InputRunner } from './input-runner.ts'
import type { ServiceLimits } from './messages.ts'

/** What `detect` reads, with what, and who takes the results. */
export interface DetectParts {
  readonly sources: readonly InputSpec[]
  readonly model: ResolvedModel
  readonly device: Device
  readonly options: ModelOptions
  readonly limits: ServiceLimits
  readonly signal: AbortSignal
  /** The next sample is taken when this has resolved: a slow reader slows the pipeline, nothing is lost. */
  onResult(delivered: Delivered, source: string): Promise<void>
  onFault(error: AgentError, source: string): void
}

/** How much was seen. */
export interface DetectOutcome {
  readonly results: number
  readonly failures: number
}

/**
 * Runs every source to its end in this process, one after another, as fast as the model goes.
 * @throws AgentError MODEL_LOAD, BACKEND_UNAVAILABLE
 */
export async function detect(parts: DetectParts): Promise<DetectOutcome> {
  const { limits, model, device, options } = parts
  const host = new InferenceHost(
    Array.from({ length: limits.inferenceThreads }, (_, index) => inferenceThread(index)),
    limits.batching,
  )
  const notes = join(tmpdir(), `heliograph-detect-${process.pid}.crash`)
  const record = crashRecord(notes)
  // No supervisor reads it: the open file is all that the stages need.
  rmSync(notes)
  const place = record.place('detect')
  const outcome = { results: 0, failures: 0 }
  try {
    const session = { device, threads: limits.threadsPerInference }
    await host.load({ model, session, options, place })
    for (const spec of parts.sources) {
      if (parts.signal.aborted) break
      const one = await detectOne(parts, spec, host, place)
      outcome.results += one.results
      outcome.failures += one.failures
    }
    return outcome
  } finally {
    await host.close()
  }
}

async function detectOne(
  parts: DetectParts,
  spec: InputSpec,
  host: InferenceHost,
  place: CrashPlace,
): Promise<DetectOutcome> {
  const outcome = { results: 0, failures: 0 }
  const fault = (error: AgentError): void => {
    outcome.failures += 1
    parts.onFault(error, spec.url)
  }
  const source = openSource(parts, spec, fault)
  if (!source) return outcome
  await new Promise<void>((resolve) => {
    const runner = new InputRunner({
      id: 'detect',
      spec,
      source,
      inferrer: {
        current: () => host.current(),
        preprocess: ({ model }, sample: Sample) => model.preprocess(sample, host.pool),
        run: (by, prepared) => host.run('detect', by, prepared, place),
      },
      place,
      maxAlive: parts.limits.samplesPerInput,
      async deliver(delivered) {
        outcome.results += 1
        await parts.onResult(delivered, delivered.result.source ?? spec.url)
      },
      report({ state }) {
        if (state === 'ended' || state === 'failed') resolve()
        if (state === 'retrying') void runner.close().then(resolve)
      },
      fault,
    })
    parts.signal.addEventListener('abort', () => void runner.close().then(resolve), { once: true })
    runner.open()
  })
  return outcome
}

function openSource(
  parts: DetectParts,
  spec: InputSpec,
  fault: (error: AgentError) => void,
): Source | undefined {
  try {
    return createSource(
      { pace: 'fast', ...spec },
      {
        limits: parts.limits,
        engine: createEngine(parts.limits.media.engine),
        images: { subscribe: () => () => {} },
        unrestricted: true,
        defaultPace: 'fast',
      },
    )
  } catch (error) {
    fault(AgentError.from(error))
    return undefined
  }
}
