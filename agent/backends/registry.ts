import { AgentError } from '../core/errors.ts'
import type { Backend } from '../core/stages.ts'
import { onnxBackend, onnxProviders } from './onnx.ts'

/** Runtimes for model files, by name. */
const backends: Readonly<Record<string, Backend>> = { [onnxBackend.name]: onnxBackend }

/** The runtime of that name; it loads its native library with the first model. @throws AgentError BACKEND_UNAVAILABLE */
export function createBackend(name: string): Backend {
  const backend = Object.hasOwn(backends, name) ? backends[name] : undefined
  if (backend) return backend
  throw new AgentError(
    'BACKEND_UNAVAILABLE',
    `no backend '${name}' (known: ${Object.keys(backends).join(' ')})`,
  )
}

/** Names of the devices that work on this machine, as services may ask for them; loads the native library. */
export function listProviders(): Promise<string[]> {
  return onnxProviders()
}
