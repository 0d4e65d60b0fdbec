/** Changes whenever the same graph would give another ONNX file: cached conversions are keyed by it. */
export const CONVERTER_VERSION = 1
