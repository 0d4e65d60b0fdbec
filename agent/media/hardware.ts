import { readdir } from 'node:fs/promises'

/** A way to decode or encode in hardware, by FFmpeg's name for it. */
export type Acceleration = 'cuda' | 'qsv' | 'vaapi' | 'v4l2m2m'

/** Best first: what serves the most streams at once. Each with the device files that it works through on Linux. */
const accelerations: Readonly<Record<Acceleration, RegExp>> = {
  cuda: /^(?:nvidia\d+|dxg)$/,
  qsv: /^renderD\d+$/,
  vaapi: /^renderD\d+$/,
  v4l2m2m: /^video\d+$/,
}

/** H.264 encoders, by how they are accelerated. */
export const hardwareEncoders: Readonly<Record<Acceleration, string>> = {
  cuda: 'h264_nvenc',
  qsv: 'h264_qsv',
  vaapi: 'h264_vaapi',
  v4l2m2m: 'h264_v4l2m2m',
}

/**
 * The accelerations that may work here, best first: on Linux their device files tell which are not even
 * worth a try. A file that is there proves nothing.
 */
export async function likelyAccelerations(
  listDevices: () => Promise<readonly string[]> = deviceFiles,
  platform: NodeJS.Platform = process.platform,
): Promise<Acceleration[]> {
  const all = Object.keys(accelerations) as Acceleration[]
  if (platform !== 'linux') return all
  const devices = await listDevices()
  return all.filter((name) => devices.some((file) => accelerations[name].test(file)))
}

async function deviceFiles(): Promise<string[]> {
  const folders = ['/dev', '/dev/dri'].map((folder) => readdir(folder).catch(() => []))
  return (await Promise.all(folders)).flat()
}
