import type { InferenceSession, Tensor as OnnxTensor, OnnxValue } from 'onnxruntime-node'
import { AgentError } from '../core/errors.ts'
import type { Session, Tensor, TensorData, Tensors, TensorType } from '../core/stages.ts'
import type { Runtime } from './onnx-providers.ts'
import { plainMessage } from './plain-message.ts'

/** What the graph says of an input: a word stands for any length, no lengths at all for any shape. */
interface Port {
  readonly name: string
  readonly dtype: TensorType
  readonly dims: readonly (number | string)[]
}

/**
 * Wraps a loaded session. Inputs are read where they lie, or copied first when they lie in shared
 * memory, which ONNX Runtime's Node binding refuses. Outputs are new buffers, the caller's: the binding
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
  session.outputMetadata.map(portOf)
  const copies = new Map<string, TensorData>()
  let open = true

  /** Only one run is under way at a time, so one copy for each input is enough. */
  function unshared(name: string, data: TensorData): TensorData {
    if (!(data.buffer instanceof SharedArrayBuffer)) return data
    const copy = copies.get(name)
    if (copy?.constructor !== data.constructor || copy.length !== data.length) {
      const first = data.slice()
      copies.set(name, first)
      return first
    }
    new Uint8Array(copy.buffer).set(bytesOf(data))
    return copy
  }

  function feedOf(port: Port, tensors: Tensors): OnnxTensor {
    const { dtype, dims, data } = demand(port, tensors)
    const own = unshared(port.name, data) as OwnData
    return new runtime.Tensor(dtype, own, dims)
  }

  return {
    provider,
    async run(tensors: Tensors): Promise<Tensors> {
      const feeds = inputs.map((port) => [port.name, feedOf(port, tensors)])
      try {
        const outputs = await session.run(Object.fromEntries(feeds))
        return Object.fromEntries(
          Object.entries(outputs).map(([name, value]) => [name, result(value)]),
        )
      } catch (cause) {
        const reason = plainMessage(cause)
        throw new AgentError('INFERENCE_FAILED', `the run on ${provider} failed: ${reason}`, {
          cause,
        })
      }
    },
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

function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

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
