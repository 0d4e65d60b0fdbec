import type { ModelInput } from '../../schemas/manifest.ts'
import type { TensorData } from '../core/stages.ts'

/** How one channel of the tensor is made: from which colour, and `value = colour × scale − shift`. */
interface Channel {
  readonly colour: number
  readonly scale: number
  readonly shift: number
}

/**
 * Turns interleaved RGB bytes into the tensor's layout, channel order and type, inside the buffer
 * that they lie in: `pixels` is its end (all of it for uint8, the last quarter for float32). `mean`
 * and `std` follow the tensor's channel order.
 */
export function packPixels(pixels: Uint8Array, input: ModelInput): TensorData {
  if (input.dtype === 'uint8') return packBytes(pixels, input)
  const floats = new Float32Array(pixels.buffer, 0, pixels.length)
  const planar = input.layout === 'nchw'
  const step = planar ? 1 : 3
  const plane = planar ? pixels.length / 3 : 1
  packFloats(pixels, floats, channels(input), step, plane)
  return floats
}

function channels({
  colour,
  mean = [],
  std = [],
}: ModelInput): readonly [Channel, Channel, Channel] {
  const channel = (index: number): Channel => {
    const scale = 1 / (std[index] ?? 1)
    return {
      colour: colour === 'bgr' ? 2 - index : index,
      scale,
      shift: (mean[index] ?? 0) * scale,
    }
  }
  return [channel(0), channel(1), channel(2)]
}

/**
 * Front to back. A float is four times as long as the byte it comes from and the bytes lie in the
 * last quarter, so a write never reaches a pixel that is still to be read, in either layout.
 */
function packFloats(
  pixels: Uint8Array,
  floats: Float32Array,
  [a, b, c]: readonly [Channel, Channel, Channel],
  step: number,
  plane: number,
): void {
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += step) {
    const first = (pixels[from + a.colour] as number) * a.scale - a.shift
    const second = (pixels[from + b.colour] as number) * b.scale - b.shift
    const third = (pixels[from + c.colour] as number) * c.scale - c.shift
    floats[to] = first
    floats[to + plane] = second
    floats[to + 2 * plane] = third
  }
}

function packBytes(pixels: Uint8Array, { colour, layout }: ModelInput) {
  if (colour === 'bgr') swapRedAndBlue(pixels)
  if (layout === 'nchw') pixels.set(planesOf(pixels))
  return pixels
}

function swapRedAndBlue(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i] as number
    pixels[i] = pixels[i + 2] as number
    pixels[i + 2] = red
  }
}

function planesOf(pixels: Uint8Array): Uint8Array {
  const plane = pixels.length / 3
  const planes = new Uint8Array(pixels.length)
  for (let i = 0; i < plane; i++) {
    planes[i] = pixels[3 * i] as number
    planes[plane + i] = pixels[3 * i + 1] as number
    planes[2 * plane + i] = pixels[3 * i + 2] as number
  }
  return planes
}
