import { copyFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import { createSource } from '../../../agent/sources/registry.ts'
import { clip, hasFfmpeg } from '../media/clips.ts'
import { sourceContext, witness } from './surroundings.ts'

it.skipIf(!hasFfmpeg)(
  'a video that loops and was written over tells what it has become',
  async () => {
    const made = (size: string, rate: number) =>
      clip(`${size}.mp4`, '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=1`)
    const [path, later] = [made('320x240', 25), made('640x480', 20)]
    const context = sourceContext({ roots: [dirname(path)] })
    const source = createSource({ url: path, loop: true }, context)
    const seen = witness()
    const widths: number[] = []
    for await (const { frame } of source.samples(new AbortController().signal, seen)) {
      widths.push(frame.width)
      frame.release()
      if (widths.length === 25) copyFileSync(later, path)
      if (widths.length === 45) break
    }
    expect(widths).toEqual([...Array(25).fill(320), ...Array(20).fill(640)])
    expect(seen.infos).toEqual([
      { width: 320, height: 240, fps: 25 },
      { width: 640, height: 480, fps: 20 },
    ])
  },
)
