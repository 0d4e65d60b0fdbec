import type { Config } from '../schemas/config.ts'
import { uploadFolderIn } from './data-folder.ts'
import type { ServiceLimits } from './service/messages.ts'

/** What a service may touch besides what the configuration says. */
export interface Surroundings {
  /** Ports of this machine that belong to the agent: neither inputs nor outputs may reach them. */
  readonly ownPorts: readonly number[]
  /** See `ServiceLimits.faults`. */
  readonly faults: boolean
}

/** What the configuration lets a service touch, and how much of it. */
export function serviceLimits(config: Config, { ownPorts, faults }: Surroundings): ServiceLimits {
  const { data, sources, outputs, limits, media, preview } = config
  return {
    roots: sources.roots,
    mediaFolder: outputs.mediaFolder,
    uploadFolder: uploadFolderIn(data.folder),
    addresses: { ...sources.addresses, ownPorts },
    outputAddresses: { ...outputs.addresses, ownPorts },
    topicPrefixes: outputs.topicPrefixes,
    minFreeBytes: outputs.minFreeBytes,
    media,
    preview,
    samplesPerInput: limits.samplesPerInput,
    inferenceThreads: limits.inferenceThreads,
    threadsPerInference: limits.threadsPerInference,
    batching: { size: limits.batchSize, waitMs: limits.batchWaitMs },
    maxPixels: sources.maxPixels,
    maxDownloadBytes: sources.maxDownloadBytes,
    faults,
  }
}
