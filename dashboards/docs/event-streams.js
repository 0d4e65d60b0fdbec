// Swagger UI shows an answer when it has ended, which a stream of events never does: it is shown how one begins.

const SHOWN_MS = 1000
const request = window.fetch

window.fetch = async (...asked) => {
  const answer = await request(...asked)
  const type = answer.headers.get('content-type') ?? ''
  if (!type.startsWith('text/event-stream')) return answer
  return new Response(await beginningOf(answer.body), answer)
}

async function beginningOf(stream) {
  const reader = stream.getReader()
  setTimeout(() => reader.cancel(), SHOWN_MS)
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text
    text += decoder.decode(value, { stream: true })
  }
}
