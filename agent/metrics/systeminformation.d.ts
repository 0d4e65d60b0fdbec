// The package's own entry loads all of it, 6 MB; these three files are 2 MB. Its version is pinned.

declare module 'systeminformation/lib/memory.js' {
  import type { Systeminformation } from 'systeminformation'
  export function mem(): Promise<Systeminformation.MemData>
}

declare module 'systeminformation/lib/cpu.js' {
  import type { Systeminformation } from 'systeminformation'
  export function cpuTemperature(): Promise<Systeminformation.CpuTemperatureData>
}

declare module 'systeminformation/lib/graphics.js' {
  import type { Systeminformation } from 'systeminformation'
  export function graphics(): Promise<Systeminformation.GraphicsData>
}

declare module 'systeminformation/lib/network.js' {
  import type { Systeminformation } from 'systeminformation'
  export function networkStats(): Promise<Systeminformation.NetworkStatsData[]>
}
