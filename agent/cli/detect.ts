import type { Device } from '../../schemas/control.ts'
import { configuredStore } from '../configured-store.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered } from '../core/stages.ts'
import { detect } from '../service/detect.ts'
import { serviceLimits } from '../service-limits.ts'
import { DEFAULT_MODEL } from '../store/catalog.ts'
import type { ConfigFlags } from './config-flags.ts'
import { type Drawing, drawing } from './drawing.ts'
import { exitCodes, failureText } from './failure.ts'
import { interruptible } from './interruption.ts'
import { lineOutput } from './line-output.ts'
import { configOf, logOf } from './load.ts'
import { type Progress, progress } from './progress.ts'
import { pullModel } from './pull-model.ts'

/** The flags of `heliograph detect`. */
export interface DetectFlags extends ConfigFlags {
  readonly model?: string
  readonly minScore?: number
  readonly fps?: number
  readonly device?: Device
  readonly draw?: string
}

/** Infers each source to its end, one line of JSON per picture or frame. @returns the exit code */
export async function runDetect(urls: readonly string[], flags: DetectFlags): Promise<number> {
  const drawn = flags.draw === undefined ? undefined : drawing(flags.draw, urls.length)
  const config = await configOf({ logLevel: 'warn', ...flags })
  const store = configuredStore(config, logOf(config.log.level))
  const out = lineOutput(process.stdout)
  return interruptible(async (interrupt) => {
    const model = await pullModel(store, flags.model ?? DEFAULT_MODEL, interrupt)
    const taking = taker(urls, out.write, drawn)
    const { failures } = await detect({
      sources: urls.map((url) => ({ url, ...(flags.fps === undefined ? {} : { fps: flags.fps }) })),
      model,
      device: flags.device ?? 'auto',
      options: flags.minScore === undefined ? {} : { minScore: flags.minScore },
      limits: serviceLimits(config, { ownPorts: [], faults: false }),
      signal: AbortSignal.any([interrupt, out.closed, taking.failed]),
      onResult: taking.result,
      onFault: taking.fault,
    })
    taking.end()
    if (taking.failed.aborted) throw taking.failed.reason
    return failures > 0 && !out.closed.aborted ? exitCodes.failed : exitCodes.fine
  })
}

/** Prints results and faults; `failed` aborts when a result cannot be kept. */
function taker(
  urls: readonly string[],
  write: (line: string) => Promise<void>,
  drawn: Drawing | undefined,
) {
  const failed = new AbortController()
  const shown = progressOf(urls.length)
  const begun = new Set<string>()
  let results = 0
  const show = (source: string) => {
    begun.add(source)
    // A folder or a pattern is one source here and several there.
    const total = urls.length > 1 && begun.size <= urls.length ? urls.length : undefined
    shown.update('detecting', begun.size - 1, total, `${results} results`)
  }
  return {
    failed: failed.signal,
    async result(delivered: Delivered, source: string): Promise<void> {
      results += 1
      try {
        await drawn?.draw(delivered, source)
      } catch (error) {
        failed.abort(error)
        return
      }
      await write(JSON.stringify({ ...delivered.result, source }))
      show(source)
    },
    fault(error: AgentError, source: string): void {
      show(source)
      shown.end()
      process.stderr.write(failureText(new AgentError(error.code, `${source}: ${error.message}`)))
    },
    end: () => shown.end(),
  }
}

/** Nothing is shown where the results themselves run over the terminal, nor of little work to a program. */
function progressOf(sources: number): Progress {
  const worthIt = process.stderr.isTTY ? !process.stdout.isTTY : sources >= 10
  return worthIt ? progress(process.stderr) : { update: () => undefined, end: () => undefined }
}
