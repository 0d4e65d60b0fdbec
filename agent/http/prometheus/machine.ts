import type { Metrics } from '../../../schemas/state.ts'
import { type Family, family, gauge } from './family.ts'

/** The machine's resources, as `$metrics` last had them; what cannot be read is absent. */
export function machineFamilies(metrics: Metrics | undefined): Family[] {
  if (!metrics) return []
  const cpu = known(metrics.cpu)
  const memory = known(metrics.memory)
  const network = known(metrics.network)
  return [
    gauge(
      'heliograph_measured_timestamp_seconds',
      'When the resources below were measured (setting metrics.intervalMs).',
      metrics.at / 1000,
    ),
    gauge('heliograph_machine_cpu_ratio', 'Load of all cores.', cpu?.load),
    gauge('heliograph_machine_memory_bytes', 'Memory of the machine.', memory?.totalBytes),
    gauge('heliograph_machine_memory_used_bytes', 'Memory in use.', memory?.usedBytes),
    gauge(
      'heliograph_agent_memory_bytes',
      'Memory of all processes of the agent.',
      memory?.agentBytes,
    ),
    ...diskFamilies(metrics),
    gauge(
      'heliograph_machine_network_receive_bytes_per_second',
      'Bytes that come in.',
      network?.rxBytesPerS,
    ),
    gauge(
      'heliograph_machine_network_transmit_bytes_per_second',
      'Bytes that go out.',
      network?.txBytesPerS,
    ),
    gauge(
      'heliograph_machine_temperature_celsius',
      "The processor's temperature.",
      known(metrics.temperature)?.celsius,
    ),
    ...gpuFamilies(metrics),
    ...processFamilies(metrics),
  ]
}

function diskFamilies(metrics: Metrics): Family[] {
  const disk = known(metrics.disk)
  const of = (value: number | undefined) => [{ labels: { path: disk?.path ?? '' }, value }]
  return [
    family(
      'gauge',
      'heliograph_disk_bytes',
      "Size of the data folder's disk.",
      of(disk?.totalBytes),
    ),
    family('gauge', 'heliograph_disk_free_bytes', 'Bytes free on it.', of(disk?.freeBytes)),
  ]
}

function gpuFamilies(metrics: Metrics): Family[] {
  const gpus = known(metrics.gpu) ?? []
  const each = (value: (gpu: (typeof gpus)[number]) => number | undefined) =>
    gpus.map((gpu, index) => ({
      labels: { gpu: String(index), model: gpu.name },
      value: value(gpu),
    }))
  return [
    family(
      'gauge',
      'heliograph_gpu_ratio',
      'Load of the GPU.',
      each(({ load }) => load),
    ),
    family(
      'gauge',
      'heliograph_gpu_memory_bytes',
      'Memory of the GPU.',
      each(({ memoryTotalBytes }) => memoryTotalBytes),
    ),
    family(
      'gauge',
      'heliograph_gpu_memory_used_bytes',
      'Memory of the GPU in use.',
      each(({ memoryUsedBytes }) => memoryUsedBytes),
    ),
    family(
      'gauge',
      'heliograph_gpu_temperature_celsius',
      'Temperature of the GPU.',
      each(({ celsius }) => celsius),
    ),
  ]
}

function processFamilies({ services }: Metrics): Family[] {
  const each = (value: (usage: Metrics['services'][string]) => number | undefined) =>
    Object.entries(services).map(([service, usage]) => ({
      labels: { service },
      value: value(usage),
    }))
  return [
    family(
      'gauge',
      'heliograph_service_cpu_cores',
      "Cores that the service's process uses.",
      each(({ cpu }) => cpu),
    ),
    family(
      'gauge',
      'heliograph_service_memory_bytes',
      "Memory of the service's process.",
      each(({ memoryBytes }) => memoryBytes),
    ),
  ]
}

/** A part of the metrics, unless it cannot be read. */
function known<T extends object>(part: T): Exclude<T, Unavailable> | undefined {
  return 'unavailable' in part ? undefined : (part as Exclude<T, Unavailable>)
}

interface Unavailable {
  readonly unavailable: string
}
