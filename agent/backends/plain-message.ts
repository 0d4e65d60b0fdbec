/** ONNX Runtime's message without the places in its C++ source that it starts with. */
export function plainMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message
    .replace(/\/onnxruntime_src\/\S+ onnxruntime::[^)]*\)\S* /g, '')
    .replace(/\S+\.(?:cc|h):\d+ /g, '')
    .replace(/\s+/g, ' ')
    .trim()
}
