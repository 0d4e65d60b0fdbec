import { Count } from './config-parts.ts'
import Type from './typebox.ts'

/** Server-sent events. */
export const events = Type.Object(
  {
    streams: Count(32, 1000, 'Streams open at once.'),
    historyCount: Count(
      1000,
      1_000_000,
      'Events of a service that are kept for clients that are slow or come back: so many of QoS 0, and of QoS 1.',
    ),
    historyBytes: Count(256 * 1024, 2 ** 30, 'Bytes that these may take.'),
  },
  { description: 'Server-sent events.' },
)
