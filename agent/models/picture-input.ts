import type { ModelInput } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Prepared, Sample, TensorPool } from '../core/stages.ts'
import { letterbox, type Placement, stretch } from '../imaging/letterbox.ts'
import { packPixels } from './pack-pixels.ts'

/** What is painted beside a letterboxed picture where the manifest does not say: YOLOX's grey. */
const PAD = 114

/**
 * Checks what the manifest's schema cannot: normalisation takes three numbers, and a float tensor.
 * @throws AgentError MODEL_LOAD
 */
export function checkPictureInput({ dtype, mean, std }: ModelInput): void {
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values === undefined) continue
    if (dtype !== 'float32') {
      throw new AgentError('MODEL_LOAD', `input.${name} needs dtype float32, not ${dtype}`)
    }
    if (values.length !== 3 || (name === 'std' && values.includes(0))) {
      throw new AgentError(
        'MODEL_LOAD',
        `input.${name} is [${values}]; it takes three numbers, one per channel, and std no zero`,
      )
    }
  }
}

/**
 * Scales a picture into the tensor that a manifest's `input` describes. Its one buffer is lent by
 * `pool`: the picture is scaled into the end of it and spread out from there, so interleaved uint8
 * RGB is written once and never copied. @throws AgentError whatever the frame's `scaleTo` throws
 */
export async function preparePicture(
  { frame }: Sample,
  input: ModelInput,
  pool: TensorPool,
): Promise<Prepared<Placement>> {
  const { width, height, dtype } = input
  const values = width * height * 3
  const buffer = pool.lend(dtype === 'float32' ? values * 4 : values)
  const pixels = new Uint8Array(buffer, buffer.byteLength - values, values)
  const place = input.fit === 'letterbox' ? letterbox : stretch
  const placement = place(frame.width, frame.height, width, height)
  padAround(pixels, input, placement)
  await frame.scaleTo({
    width: placement.contentWidth,
    height: placement.contentHeight,
    data: pixels,
    stride: width * 3,
  })
  const dims = input.layout === 'nhwc' ? [1, height, width, 3] : [1, 3, height, width]
  const tensor = { dtype, dims, data: packPixels(pixels, input) }
  return { inputs: { [input.name]: tensor }, meta: placement }
}

function padAround(pixels: Uint8Array, input: ModelInput, placement: Placement): void {
  const { width, pad = PAD } = input
  const { contentWidth, contentHeight } = placement
  const stride = width * 3
  if (contentWidth < width) {
    for (let y = 0; y < contentHeight; y++) {
      pixels.fill(pad, y * stride + contentWidth * 3, (y + 1) * stride)
    }
  }
  pixels.fill(pad, contentHeight * stride)
}
