import type { HardwareDeviceContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { NodeAv } from './node-av-library.ts'

/** The first device of that kind; the caller frees it. @throws AgentError BACKEND_UNAVAILABLE */
export function openDevice(av: NodeAv, kind: 'vaapi' | 'cuda'): HardwareDeviceContext {
  const { AV_HWDEVICE_TYPE_VAAPI, AV_HWDEVICE_TYPE_CUDA } = av.constants
  const type = kind === 'vaapi' ? AV_HWDEVICE_TYPE_VAAPI : AV_HWDEVICE_TYPE_CUDA
  const device = new av.HardwareDeviceContext()
  const code = device.create(type, null, null)
  if (code >= 0) return device
  device.free()
  throw new AgentError(
    'BACKEND_UNAVAILABLE',
    `cannot open a ${kind} device: ${new av.FFmpegError(code).message}`,
  )
}
