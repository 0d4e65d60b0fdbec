/** The lines of a text as it comes, UTF-8; each without its end (LF, CR LF or CR), also an unfinished last one. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    // A CR at the very end may be the first half of a CR LF.
    const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest
    const lines = whole.split(/\r\n|\n|\r/)
    const unfinished = lines.pop() ?? ''
    rest = unfinished + rest.slice(whole.length)
    yield* lines
  }
  rest += decoder.decode()
  const last = rest.replace(/\r$/, '')
  if (last !== '' || rest !== last) yield last
}
