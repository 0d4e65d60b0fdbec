import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { PacketSink, VideoPacket } from '../../../agent/core/video.ts'

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sinks-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** What a sink asked for. */
export function askings() {
  const asked = { keys: 0, wanted: [] as boolean[] }
  return {
    asked,
    control: {
      key: () => {
        asked.keys += 1
      },
      wanted: (on: boolean) => {
        asked.wanted.push(on)
      },
    },
  }
}

/** A context of a sink of packets. */
export function packetContext(mediaFolder: string) {
  const counted = { dropped: 0 }
  const dropped = () => {
    counted.dropped += 1
  }
  return { counted, context: { mediaFolder, minFreeBytes: 0, dropped } }
}

/** Writes packets one after another. */
export async function writeAll(sink: PacketSink, packets: readonly VideoPacket[]): Promise<void> {
  for (const packet of packets) await sink.write(packet)
}

/** The same pictures again and again, as one stream. */
export function repeated(packets: readonly VideoPacket[], times: number): VideoPacket[] {
  const [, second] = packets
  const length = packets.length * (second?.pts ?? 0)
  return Array.from({ length: times }, (_, round) =>
    packets.map((packet) => ({ ...packet, pts: packet.pts + round * length })),
  ).flat()
}
