/** What the page reports once it has played long enough, or failed. */
export interface Played {
  readonly currentTime: number
  readonly width: number
  readonly height: number
  /** Pictures decoded. */
  readonly frames: number
  readonly buffered: readonly (readonly [number, number])[]
  readonly codec: string
  readonly problem?: string
}

/** A page that plays live video by Media Source Extensions, and posts what it saw to `/report`. */
export const playerPage = (seconds: number): string => `<!doctype html>
<video muted autoplay playsinline></video>
<script>
const video = document.querySelector('video')
const report = (more) => fetch('/report', { method: 'POST', body: JSON.stringify({
  currentTime: video.currentTime, width: video.videoWidth, height: video.videoHeight,
  frames: video.getVideoPlaybackQuality().totalVideoFrames, codec: window.codec,
  buffered: [...Array(video.buffered.length).keys()].map((i) => [video.buffered.start(i), video.buffered.end(i)]),
  ...more }) })
window.onerror = (problem) => report({ problem: String(problem) })
video.onerror = () => report({ problem: video.error.message })
const source = new MediaSource()
video.src = URL.createObjectURL(source)
source.onsourceopen = () => {
  const waiting = []
  let buffer
  const next = () => { if (buffer && !buffer.updating && waiting.length > 0) buffer.appendBuffer(waiting.shift()) }
  const socket = new WebSocket('ws://' + location.host + '/services/door/live/gate')
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') {
      const { mime, codec } = JSON.parse(data)
      window.codec = codec
      buffer = source.addSourceBuffer(mime)
      buffer.onupdateend = next
    } else { waiting.push(data); next() }
  }
  socket.onclose = () => report({ problem: 'closed' })
}
video.ontimeupdate = () => { if (video.currentTime >= ${seconds}) { video.ontimeupdate = null; report({}) } }
</script>`
