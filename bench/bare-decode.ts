import { AV_PIX_FMT_RGB24, AVERROR_EOF, AVMEDIA_TYPE_VIDEO } from 'node-av/constants'
import {
  Codec,
  CodecContext,
  FormatContext,
  Frame,
  Packet,
  SoftwareScaleContext,
} from 'node-av/lib'
import { measure, pacedBy, report } from './bare.ts'
import { clipFile } from './material.ts'

const SIZE = 300

/**
 * FFmpeg itself, by node-av's own calls: decodes the clip over and over, one thread, and libswscale scales each frame
 * to the model's input (bilinear); nothing of the agent. Given a rate, so many frames a second.
 */
const packet = new Packet()
packet.alloc()
const frame = new Frame()
frame.alloc()
const scaled = new Frame()
scaled.alloc()
scaled.format = AV_PIX_FMT_RGB24
scaled.width = SIZE
scaled.height = SIZE
scaled.getBuffer()
const scaler = new SoftwareScaleContext()
scaler.allocContext()
scaler.setOption('sws_flags', 'bilinear')
let clip = await openClip()

async function openClip() {
  const format = new FormatContext()
  checked(await format.openInput(clipFile))
  checked(await format.findStreamInfo(null))
  const streamIndex = format.streams.findIndex(
    ({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_VIDEO,
  )
  const stream = format.streams[streamIndex]
  const codec = stream && Codec.findDecoder(stream.codecpar.codecId)
  if (!codec) throw new Error('the clip has no video')
  const decoder = new CodecContext()
  decoder.allocContext3(codec)
  decoder.parametersToContext(stream.codecpar)
  decoder.threadCount = 1
  checked(await decoder.open2(codec, null))
  return { format, decoder, streamIndex }
}

async function next(): Promise<void> {
  while (!(await decoded())) {
    clip.decoder.freeContext()
    await clip.format.closeInput()
    clip = await openClip()
  }
  checked(await scaler.scaleFrame(scaled, frame))
  frame.unref()
}

/** The next picture, in `frame`. @returns false at the end of the clip */
async function decoded(): Promise<boolean> {
  for (;;) {
    const code = await clip.decoder.receiveFrame(frame)
    if (code >= 0) return true
    if (code === AVERROR_EOF) return false
    const read = await clip.format.readFrame(packet)
    if (read < 0) await clip.decoder.sendPacket(null)
    else if (packet.streamIndex === clip.streamIndex) await clip.decoder.sendPacket(packet)
    packet.unref()
  }
}

function checked(code: number): void {
  if (code < 0) throw new Error(`FFmpeg says ${code}`)
}

const [seconds = 1, rate] = process.argv.slice(2).map(Number)
report(await measure(pacedBy(next, rate), seconds))
