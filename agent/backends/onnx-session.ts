import type { InferenceSession, Tensor as OnnxTensor, OnnxValue } from 'onnxruntime-node'
import { AgentError } from '../core/errors.ts'
import type { Session, Tensor, TensorData, Tensors, TensorType } from '../core/stages.ts'
import { batchDims, hasBatchAxis, type Lengths, outputsBySample } from './batch.ts'
import { inputMemory } from './input-memory.ts'
import type { Runtime } from './onnx-providers.ts'
import { plainMessage } from './plain-message.ts'

/** What the graph says of an input or output; no lengths at all stand for any shape. */
interface Port {
  readonly name: string
  readonly dtype: TensorType
  readonly dims: Lengths
}

/**
 * Wraps a loaded session. Inputs are read where they lie, or copied first when they lie in shared
 * memory, which ONNX Runtime's Node binding refuses, or are several samples'. Outputs are new buffers, the caller's: the binding
 * copies them out of its arena even when it is given tensors to write to.
 * @throws AgentError MODEL_LOAD when the graph's inputs or outputs are not tensors of our types
 */
export function onnxSession(
  runtime: Runtime,
  session: InferenceSession,
  provider: string,
): Session {
  const inputs = session.inputMetadata.map(portOf)
  refuseFloat16(inputs)
  const outputs = session.outputMetadata.map(portOf)
  const gathered = inputMemory()
  let open = true

  /** Only one run is under way at a time, so that each may use the memory of the one before. */
  function feedOf(port: Port, samples: readonly Tensors[]): OnnxTensor {
    const tensors = samples.map((sample) => demand(port, sample))
    const dims = batchDims(port.name, tensors)
    const data = tensors.map((tensor) => tensor.data)
    const [only] = data.length === 1 ? data.filter(isOwn) : []
    return new runtime.Tensor(port.dtype, (only ?? gathered(port.name, data)) as OwnData, dims)
  }

  async function outputsOf(samples: readonly Tensors[]): Promise<Tensors> {
    const feeds = inputs.map((port) => [port.name, feedOf(port, samples)])
    try {
      const results = await session.run(Object.fromEntries(feeds))
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, result(value)]),
      )
    } catch (cause) {
      const reason = plainMessage(cause)
      throw new AgentError('INFERENCE_FAILED', `the run on ${provider} failed: ${reason}`, {
        cause,
      })
    }
  }

  return {
    provider,
    hasBatchAxis: hasBatchAxis(
      inputs.map(({ dims }) => dims),
      outputs.map(({ dims }) => dims),
    ),
    run: (sample) => outputsOf([sample]),
    runBatch: async (samples) => outputsBySample(await outputsOf(samples), samples.length),
    async close() {
      if (!open) return
      open = false
      await session.release()
    },
  }
}

const TYPES = ['float32', 'float16', 'uint8', 'int8', 'int32', 'int64', 'bool'] as const

function portOf(metadata: InferenceSession.ValueMetadata): Port {
  const { name } = metadata
  const dtype = metadata.isTensor ? TYPES.find((type) => type === metadata.type) : undefined
  if (metadata.isTensor && dtype) return { name, dtype, dims: metadata.shape }
  const got = metadata.isTensor ? metadata.type : 'not a tensor'
  throw new AgentError(
    'MODEL_LOAD',
    `the model's input or output '${name}' is ${got}; supported are tensors of ${TYPES.join(' ')}`,
  )
}

/** Where JavaScript has Float16Array (Node.js 24), the binding takes it only, and cannot read it. */
function refuseFloat16(inputs: readonly Port[]): void {
  const port = inputs.find(({ dtype }) => dtype === 'float16')
  if (!port || !('Float16Array' in globalThis)) return
  const message = `the model's input '${port.name}' is float16, which onnxruntime-node cannot read under Node.js ${process.versions.node}; use Node.js 20 or 22, or a model with float32 inputs`
  throw new AgentError('MODEL_LOAD', message)
}

/** Data in memory of its own, as the runtime takes it. */
type OwnData = Extract<ConstructorParameters<Runtime['Tensor']>[1], Uint8Array>

const isOwn = ({ buffer }: TensorData): boolean => !(buffer instanceof SharedArrayBuffer)

/** The tensor for one input of the graph. @throws AgentError INFERENCE_FAILED when it does not fit */
function demand(port: Port, tensors: Tensors): Tensor {
  const tensor = tensors[port.name]
  const problem = tensor
    ? misfit(tensor, port)
    : `given are ${Object.keys(tensors).join(', ') || 'none'}`
  if (!tensor || problem) {
    throw new AgentError(
      'INFERENCE_FAILED',
      `the model takes '${port.name}' as ${port.dtype} [${port.dims}]; ${problem}`,
    )
  }
  return tensor
}

function misfit(tensor: Tensor, { dtype, dims }: Port): string | undefined {
  const same =
    dims.length === 0 ||
    (tensor.dims.length === dims.length &&
      dims.every((length, i) => typeof length === 'string' || length === tensor.dims[i]))
  if (tensor.dtype !== dtype || !same) return `given is ${tensor.dtype} [${tensor.dims}]`
  const values = tensor.dims.reduce((product, length) => product * length, 1)
  if (tensor.data.length === values) return undefined
  return `given are ${tensor.data.length} values for [${tensor.dims}]`
}

/** Float16 may come as Float16Array, which the agent does not know: the same bytes as Uint16Array. */
function result(value: OnnxValue): Tensor {
  const { type, dims, data } = value as OnnxTensor
  const dtype = type as TensorType
  if (dtype !== 'float16') return { dtype, dims, data: data as TensorData }
  const { buffer, byteOffset, length } = data as TensorData
  return { dtype, dims, data: new Uint16Array(buffer, byteOffset, length) }
}
