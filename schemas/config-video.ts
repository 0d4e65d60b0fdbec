import { Count, Host, LOOPBACK, Port } from './config-parts.ts'
import Type from './typebox.ts'

/** The RTSP server. */
export const rtsp = Type.Object(
  {
    host: Host(`Address on which annotated video is served. ${LOOPBACK}`),
    port: Port(8554, 'TCP port of the RTSP server; 0 takes a free one.'),
    users: Type.Array(
      Type.Object({ name: Type.String({ minLength: 1 }), password: Type.String({ minLength: 1 }) }),
      { default: [], description: 'Who may watch. Default: everyone who reaches the port.' },
    ),
    clients: Count(32, 1000, 'Viewers at once.'),
    queueBytes: Count(
      4 * 1024 * 1024,
      2 ** 30,
      'Bytes that wait for one slow viewer before it skips to the next key picture.',
    ),
  },
  { description: 'The RTSP server.' },
)

/** Live video for browsers, on the HTTP port. */
export const live = Type.Object(
  {
    viewers: Count(32, 1000, 'Viewers at once.'),
    queueBytes: Count(
      4 * 1024 * 1024,
      2 ** 30,
      'Bytes that wait for one slow viewer before it skips to the next key picture.',
    ),
    behindMs: Count(
      1000,
      60_000,
      'How long a picture waits for one slow viewer before it skips to the next key picture, ms.',
    ),
  },
  { description: 'Live video over WebSocket.' },
)

/** Decoding and encoding. */
export const media = Type.Object(
  {
    engine: Type.Enum(['auto', 'node-av', 'ffmpeg'], {
      default: 'auto',
      description:
        'node-av: FFmpeg in process; ffmpeg: the program of that name; auto: the first that is there.',
    }),
    decoder: Type.String({
      default: 'auto',
      description: 'How video is decoded: auto, software, or hardware by name, as $info lists it.',
    }),
    encoder: Type.String({
      default: 'auto',
      description: 'How video is encoded: auto, or an encoder by name, as $info lists it.',
    }),
  },
  { description: 'What decodes and encodes video.' },
)

/** Still pictures of what is seen. */
export const preview = Type.Object(
  {
    maxPerSecond: Type.Number({
      exclusiveMinimum: 0,
      maximum: 30,
      default: 2,
      description: 'Pictures per second and input.',
    }),
    width: Type.Integer({
      minimum: 64,
      maximum: 3840,
      default: 640,
      description: 'Their width; smaller pictures stay as they are.',
    }),
    quality: Type.Integer({ minimum: 1, maximum: 100, default: 75, description: 'Of the JPEG.' }),
  },
  { description: 'Pictures on preview/<input>.' },
)

/** Published addresses. */
export const advertise = Type.Object(
  {
    host: Type.String({
      maxLength: 255,
      default: '',
      description: 'Host name in published addresses. Empty: where the agent listens.',
    }),
  },
  { description: 'How others reach the agent.' },
)
