import { readdir } from 'node:fs/promises'
import type { InferenceSession } from 'onnxruntime-node'
import type { SessionOptions } from '../core/stages.ts'

/** The native library, loaded. */
export type Runtime = typeof import('onnxruntime-node')

/** An execution provider by ONNX Runtime's name for it. */
export type Provider = Exclude<SessionOptions['device'], 'auto'>

/** What `auto` tries, in this order. */
const PREFERENCE: readonly Provider[] = ['cuda', 'webgpu', 'cpu']
const ALL: readonly Provider[] = ['cuda', 'tensorrt', 'webgpu', 'cpu']

/** Device files of GPUs: Linux DRM, NVIDIA, NVIDIA Jetson, and Windows' GPU inside WSL. */
const GPU_FILES = /^(?:renderD\d+|nvidia\d+|nvhost-gpu|nvgpu|dxg)$/

/**
 * A model of one Identity node over one float, as ONNX protobuf: creating a session of it shows
 * whether a provider works, whatever the user's model is like.
 */
const TINY_MODEL = Buffer.from(
  'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA8=',
  'base64',
)

/**
 * Loads ONNX Runtime, silently: what it would print about providers that are not there is in the
 * errors that it throws.
 */
export async function loadRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-node')
  runtime.env.logLevel = 'fatal'
  return runtime
}

/** The providers that are worth trying for `device`, in order. */
export async function providersFor(
  runtime: Runtime,
  device: SessionOptions['device'],
): Promise<readonly Provider[]> {
  if (device !== 'auto') return [device]
  const built = builtIn(runtime)
  const gpu = await hasGpu()
  return PREFERENCE.filter((provider) => built.has(provider) && (gpu || provider === 'cpu'))
}

/** The providers that work on this machine: each one made a session. */
export async function workingProviders(runtime: Runtime): Promise<Provider[]> {
  const candidates = (await hasGpu()) ? ALL : (['cpu'] as const)
  const working: Provider[] = []
  for (const provider of candidates) {
    if (await works(runtime, provider)) working.push(provider)
  }
  return working
}

/** Whether a provider can make a session at all. */
export async function works(runtime: Runtime, provider: Provider): Promise<boolean> {
  if (!builtIn(runtime).has(provider)) return false
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    logSeverityLevel: 4,
  }
  try {
    const session = await runtime.InferenceSession.create(TINY_MODEL, options)
    await session.release()
    return true
  } catch {
    return false
  }
}

function builtIn(runtime: Runtime): Set<string> {
  return new Set(runtime.listSupportedBackends().map(({ name }) => name))
}

/**
 * Whether there may be a GPU. Asking WebGPU on a machine without one takes a second and prints
 * Vulkan's complaints; on Linux the device files tell for nothing.
 */
async function hasGpu(): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const folders = ['/dev', '/dev/dri'].map((folder) => readdir(folder).catch(() => []))
  return (await Promise.all(folders)).flat().some((name) => GPU_FILES.test(name))
}
