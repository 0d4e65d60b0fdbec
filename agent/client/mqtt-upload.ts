import type { Result } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import type { Inference, Upload } from './agent-client.ts'
import { computed } from './computed.ts'
import type { Ask } from './mqtt-asking.ts'

/** A `data:` URI may be this long (`InputSpec.url`); base64 takes four characters for three bytes. */
const MAX_BYTES = 1_100_000

/** Sends each picture inside its request, as a `data:` URI. @throws AgentError LIMIT_EXCEEDED past 1.1 MB */
export async function* inferInside(
  ask: Ask,
  service: () => Promise<string>,
  uploads: readonly Upload[],
  { tag }: Inference,
): AsyncGenerator<Result> {
  const path = `${await service()}/compute`
  for (const upload of uploads) {
    const named = tag ?? (uploads.length > 1 ? upload.name.slice(0, 256) : undefined)
    const args = {
      action: 'once',
      input: `data:image/*;base64,${(await bytesOf(upload)).toString('base64')}`,
      ...(named === undefined ? {} : { tag: named }),
    }
    yield* computed(await ask({ path, args, work: 'long' })).results ?? []
  }
}

async function bytesOf({ name, open }: Upload): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of open()) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) {
      const message = `'${name}' is larger than the ${MAX_BYTES} bytes that a message takes; send it over HTTP (--url http://…)`
      throw new AgentError('LIMIT_EXCEEDED', message)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
