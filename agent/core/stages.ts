import type { ModelOptions } from '../../schemas/control.ts'
import type { Item, Result, ResultKind } from '../../schemas/results.ts'

/** A picture in YUV 4:2:0, 8 bit, limited range; rows may be padded (`stride` ≥ width of the plane). */
export interface Yuv420 {
  readonly width: number
  readonly height: number
  readonly y: Uint8Array
  readonly u: Uint8Array
  readonly v: Uint8Array
  readonly yStride: number
  readonly uvStride: number
}

/** Where a scaled picture is written: RGB, 8 bit, interleaved. */
export interface RgbTarget {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
  /** Bytes from one row to the next; at least 3 × width. */
  readonly stride: number
}

/**
 * One decoded picture. Reference-counted: whoever keeps it longer than the call it was given in
 * retains it, and each retain has one release. Its pixels are never changed.
 */
export interface Frame {
  readonly width: number
  readonly height: number
  /** Its pixels are RGB: scaling to its own size merely copies, while `copyTo` has to convert. */
  readonly isRgb?: boolean
  /** Scales the whole picture (bilinear) into `target`. */
  scaleTo(target: RgbTarget): Promise<void>
  /**
   * Copies the picture into memory of the caller's own, who may draw on it: BT.709, limited range. Where
   * `target` is smaller, its part from the top left.
   */
  copyTo(target: Yuv420): Promise<void>
  retain(): void
  release(): void
}

/** One picture of a source. */
export interface PictureSample {
  readonly kind: 'picture'
  readonly frame: Frame
  /** When the agent got it; Unix ms. */
  readonly capturedAt: number
  /** The source's clock, seconds. */
  readonly pts?: number
  /** Which of several pictures (a file of a directory, say) this is. */
  readonly name?: string
  /** Time spent reading and decoding it, ms. */
  readonly decodeMs: number
}

/** What one source gives at a time. Nothing outside the picture path may assume pictures. */
export type Sample = PictureSample

/** What a source knows once it is open. */
export interface SourceInfo {
  /** A picture, or several one by one: nothing that moves. */
  readonly still?: true
  readonly width?: number
  readonly height?: number
  readonly fps?: number
}

/** What a source reports besides samples. Both may be called at any time while it is read. */
export interface SourceEvents {
  opened(info: SourceInfo): void
  /** One sample could not be decoded; the source goes on with the next. */
  skipped(error: Error): void
  /** A live source replaced a sample that nobody took by a newer one. */
  dropped(): void
  /** A picture was read that becomes no sample, in order with the samples; the frame stays the source's. */
  passed?(picture: Pick<PictureSample, 'frame' | 'capturedAt' | 'pts'>): void
}

/**
 * Stage 1, acquire. Pulled: the next sample is read when it is asked for, so that a file loses
 * nothing and piles nothing up. A live source keeps one slot in which the newest sample wins.
 * Each call of `samples` opens the source anew; it is released when the iteration ends, whether by
 * its end, `return()`, an error or the signal. The consumer owns each sample's frame (one release).
 * @throws AgentError SOURCE_UNSUPPORTED, SOURCE_FORBIDDEN, SOURCE_UNREACHABLE, SOURCE_DECODE
 */
export interface Source {
  /** Whether samples come at the world's pace, so that waiting for a slot means losing them. */
  readonly live: boolean
  samples(signal: AbortSignal, events: SourceEvents): AsyncIterable<Sample>
}

/** The numbers of a tensor, in memory of its own or shared. */
export type TensorData =
  | Float32Array
  | Uint16Array
  | Uint8Array
  | Int8Array
  | Int32Array
  | BigInt64Array
/** What the numbers are. */
export type TensorType = 'float32' | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool'

/** Row-major; `data.length` is the product of `dims`. float16 is held as Uint16Array, bool as Uint8Array. */
export interface Tensor {
  readonly dtype: TensorType
  readonly dims: readonly number[]
  readonly data: TensorData
}

/** Tensors by the names of the graph's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>

/** Lends the memory that the orchestrator and the inference threads share. */
export interface TensorPool {
  /** Memory of exactly `bytes` bytes with undefined content. */
  lend(bytes: number): SharedArrayBuffer
}

/** A sample that is ready to be inferred. */
export interface Prepared<Meta = unknown> {
  readonly inputs: Tensors
  /** What postprocess needs to undo the transform (scale, padding): plain data, it crosses threads. */
  readonly meta: Meta
}

/**
 * Stages 2 and 4. `preprocess` runs on the orchestrator thread, `postprocess` on the inference thread
 * beside the outputs, so that these never travel. Keeps no state between samples.
 */
export interface Model<Meta = unknown> {
  readonly kind: ResultKind
  preprocess(sample: Sample, pool: TensorPool): Promise<Prepared<Meta>>
  /** Items in pixels of the source frame, best first. */
  postprocess(outputs: Tensors, meta: Meta, options: Required<ModelOptions>): readonly Item[]
}

/** Stage 3, infer. Owns native memory: whoever loads it closes it. Blocks the thread that calls it. */
export interface Session {
  /** The execution provider really in use. */
  readonly provider: string
  /** Whether the graph may take several samples at once. */
  readonly hasBatchAxis: boolean
  run(inputs: Tensors): Promise<Tensors>
  /**
   * Runs samples, each with a first axis of 1, as one; their outputs in the same order.
   * @throws AgentError INFERENCE_FAILED, for all of them, though perhaps because of one
   */
  runBatch(samples: readonly Tensors[]): Promise<readonly Tensors[]>
  close(): Promise<void>
}

/** How a session is to be set up. */
export interface SessionOptions {
  readonly device: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'tensorrt'
  /** Threads inside one run (ONNX Runtime's intra-op). */
  readonly threads: number
}

/** A runtime for model files. @throws AgentError MODEL_LOAD, BACKEND_UNAVAILABLE */
export interface Backend {
  readonly name: string
  /** Loads the runtime itself, ahead of the first model. */
  prepare(): Promise<void>
  load(file: string, options: SessionOptions): Promise<Session>
}

/** A result with the frame it belongs to; the frame is the giver's, a taker retains it to keep it. */
export interface Delivered {
  readonly result: Result
  readonly frame: Frame
  /** Asked for by name (`compute once`), so worth an acknowledged delivery. */
  readonly requested?: boolean
  /** As in `Seen`. */
  readonly fps?: number
}

/** A picture as it was read; the frame is the giver's, a taker retains it to keep it. */
export interface Seen {
  readonly input: string
  readonly frame: Frame
  readonly capturedAt: number
  readonly pts?: number
  /** Pictures per second, as far as the source says. */
  readonly fps?: number
}

/**
 * Where results go. `write` may be called again before the last one settled; the pipeline bounds how
 * many are outstanding.
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED: it is at its end, to be closed and, if that can help, made
 *   anew; LIMIT_EXCEEDED: this one result was given up
 */
export interface Sink {
  /** Shows every result with the items that pass the filter, and not only those of which some pass. */
  readonly continuous?: boolean
  /** Results without items mean nothing to it. */
  readonly needsItems?: boolean
  /** It retains frames itself, for as long as it needs them: delivery may take much longer. */
  readonly keepsFrames?: boolean
  /** It makes a picture of each result: inputs wait for it, each for its own results, so that what is recorded is complete. */
  readonly paced?: boolean
  /** Otherwise: how many results may be on their way before inputs wait for it; default 1000. */
  readonly room?: number
  open(): Promise<void>
  write(delivered: Delivered): Promise<void>
  /** Takes every picture as it was read, before it is inferred; one that shows them all has it. */
  see?(seen: Seen): void
  /** An input is closed, ended or failed: nothing more comes of it until it is opened again. */
  inputOver?(input: string): void
  close(): Promise<void>
}
