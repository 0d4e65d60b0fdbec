import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { loadConfig } from '../../agent/config.ts'
import type { OnceLimits } from '../../agent/control/once-requests.ts'
import { ServiceControl } from '../../agent/control/service-control.ts'
import { newService } from '../../agent/control/service-state.ts'
import type { Bus } from '../../agent/core/bus.ts'
import { createLog } from '../../agent/log.ts'
import { type Launch, processLauncher } from '../../agent/service/launch.ts'
import type { FromService, ToService } from '../../agent/service/messages.ts'
import { serviceLimits } from '../../agent/service-limits.ts'
import { DEFAULT_MODEL } from '../../agent/store/catalog.ts'
import { modelStore } from '../../agent/store/store.ts'
import { defaultModel, modelCacheFolder } from '../model-cache.ts'

/** One service with a real process and the real model, as main has it, and what passes between the two. */
export interface ServiceUnderTest {
  readonly control: ServiceControl
  /** Messages of the processes, in order, the beats left out. */
  readonly heard: readonly FromService[]
  readonly told: readonly ToService[]
  /** Puts a copy of a file where uploads lie, under a name that says nothing. */
  upload(file: string): string
}

const silent: Bus = {
  publish: () => undefined,
  onControl: () => undefined,
  onRefused: () => undefined,
  onFilters: () => undefined,
  subscribe: () => () => undefined,
}

/** Starts none yet: its first request does. It is stopped when the test is over. */
export async function serviceUnderTest(onceLimits: OnceLimits): Promise<ServiceUnderTest> {
  await defaultModel()
  const folder = mkdtempSync(join(tmpdir(), 'heliograph-once-'))
  const flags = [{ name: 'data.folder', text: folder, flag: '--data' }]
  const config = await loadConfig({ flags, env: {}, cwd: folder })
  const limits = serviceLimits(config, { ownPorts: [], faults: true })
  const log = createLog({ level: 'silent', human: false })
  const { launch, heard, told } = overheard(
    processLauncher(new URL('../../dist/agent/service/worker.js', import.meta.url), process.env),
  )
  const model = { id: DEFAULT_MODEL, device: 'auto', options: {} } as const
  const control = new ServiceControl(
    {
      id: 'demo',
      book: { root: 'edge', agent: 'lab' },
      bus: silent,
      log,
      store: modelStore({ cacheFolder: modelCacheFolder, folders: [], log }),
      streams: { offer: () => ({ write: () => undefined, close: () => undefined }), url: String },
      launch,
      limits: { ...limits, uploadFolder: folder },
      crashRecord: join(folder, 'demo.crash'),
      onceLimits,
      changed: () => undefined,
      alert: () => undefined,
    },
    newService(model),
  )
  onTestFinished(() => control.stop())
  let uploads = 0
  return {
    control,
    heard,
    told,
    upload(file) {
      uploads += 1
      const path = join(folder, `upload-${uploads}`)
      copyFileSync(file, path)
      return path
    },
  }
}

/** The same launch; what the processes and their supervisor tell each other is kept. */
function overheard(real: Launch) {
  const heard: FromService[] = []
  const told: ToService[] = []
  const launch: Launch = (listener) => {
    const started = real({
      ...listener,
      message(message) {
        if (message.type !== 'beat') heard.push(message)
        listener.message(message)
      },
    })
    return {
      pid: started.pid,
      get queuedBytes() {
        return started.queuedBytes
      },
      kill: (signal) => started.kill(signal),
      send(message) {
        told.push(message)
        started.send(message)
      },
    }
  }
  return { launch, heard, told }
}
