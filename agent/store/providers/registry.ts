import { AgentError } from '../../core/errors.ts'
import type { Offer } from '../pull-messages.ts'
import { folderFiles } from './folder.ts'
import { npmFiles } from './npm.ts'
import type { PullContext, ReadFiles } from './provider.ts'

/** Opens what an offer's provider names. @throws AgentError MODEL_LOAD, MODEL_INTEGRITY */
export async function openProvider(offer: Offer, context: PullContext): Promise<ReadFiles> {
  const { provider, folder } = offer
  if (provider.type === 'npm') return npmFiles(provider, context)
  if (folder !== undefined) return folderFiles(folder)
  throw new AgentError('MODEL_LOAD', `a built-in model cannot name a local file '${provider.path}'`)
}
