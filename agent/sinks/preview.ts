import type { Delivered, RgbTarget } from '../core/stages.ts'
import { rgbToYuv420 } from '../imaging/colour.ts'
import { drawItems } from '../imaging/draw.ts'
import { encodeJpeg } from '../media/stills.ts'

/** How previews are made. */
export interface PreviewSettings {
  /** Pictures per second of each input, at most. */
  readonly maxPerSecond: number
  /** Pixels; smaller pictures stay as they are. */
  readonly width: number
  /** Of the JPEG, 1–100. */
  readonly quality: number
}

/** Small annotated pictures of the inputs that somebody looks at. */
export interface Previews {
  /** Only these inputs from now on; `*` stands for all. */
  want(inputs: readonly string[]): void
  /** Makes a preview, if it is wanted and due. Never waits and never throws. */
  show(delivered: Delivered): void
}

/** What previews go out by, and where their failures go. */
export interface PreviewParts {
  readonly settings: PreviewSettings
  publish(input: string, jpeg: Uint8Array): void
  failed(input: string, error: unknown): void
}

/** No previews are wanted yet. */
export function previews({ settings, publish, failed }: PreviewParts): Previews {
  let wanted: ReadonlySet<string> = new Set()
  const last = new Map<string, number>()
  const busy = new Set<string>()

  const due = (input: string): boolean => {
    if (busy.has(input) || !(wanted.has(input) || wanted.has('*'))) return false
    const since = performance.now() - (last.get(input) ?? Number.NEGATIVE_INFINITY)
    return since >= 1000 / settings.maxPerSecond
  }
  return {
    want(inputs) {
      wanted = new Set(inputs)
    },
    show(delivered) {
      const { input } = delivered.result
      if (!due(input)) return
      last.set(input, performance.now())
      busy.add(input)
      delivered.frame.retain()
      jpegOf(delivered, settings)
        .then((jpeg) => publish(input, jpeg))
        .catch((error: unknown) => failed(input, error))
        .finally(() => {
          busy.delete(input)
          delivered.frame.release()
        })
    },
  }
}

async function jpegOf(
  { result, frame }: Delivered,
  settings: PreviewSettings,
): Promise<Uint8Array> {
  const scale = Math.min(1, settings.width / frame.width)
  const target = smaller(frame.width, frame.height, scale)
  await frame.scaleTo(target)
  const picture = rgbToYuv420(target.data, target.width, target.height)
  const items = result.items.map((item) => {
    const [x, y, width, height] = item.box
    const box: [number, number, number, number] = [
      x * scale,
      y * scale,
      width * scale,
      height * scale,
    ]
    return { ...item, box }
  })
  drawItems(picture, items, result.kind)
  return encodeJpeg(picture, settings.quality)
}

function smaller(width: number, height: number, scale: number): RgbTarget {
  const [wide, high] = [width, height].map((side) => Math.max(1, Math.round(side * scale))) as [
    number,
    number,
  ]
  return { width: wide, height: high, stride: wide * 3, data: new Uint8Array(wide * high * 3) }
}
