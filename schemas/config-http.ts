import { events } from './config-events.ts'
import { Count, File, Host, LOOPBACK, Port } from './config-parts.ts'
import Type from './typebox.ts'

const MiB = 1024 * 1024

/** How much one client, and all together, may ask of the HTTP server. */
const limits = Type.Object(
  {
    connections: Count(1024, 65_535, 'Connections of all clients, WebSockets among them.'),
    connectionsPerAddress: Count(256, 65_535, 'Connections of one client address.'),
    requestsPerConnection: Count(10_000, 2 ** 31 - 1, 'Requests on one connection.'),
    readsPerSecond: Count(500, 1_000_000, 'Requests of one client address that change nothing.'),
    changesPerSecond: Count(
      100,
      1_000_000,
      'Requests of one client address that change something.',
    ),
    computesPerSecond: Count(500, 1_000_000, 'Requests of one client address for a result.'),
    urlBytes: Count(8192, 65_536, 'Length of a URL.'),
    headers: Count(100, 1000, 'Header fields of one request.'),
    headerBytes: Type.Integer({
      minimum: 1024,
      maximum: 1024 * 1024,
      default: 16 * 1024,
      description: 'Size of the head of one request: its URL and all its header fields.',
    }),
    headersMs: Count(10_000, 600_000, 'How long the head of a request may take to arrive, ms.'),
    requestMs: Count(900_000, 86_400_000, 'How long a whole request may take to arrive, ms.'),
    bodyBytes: Count(2 * 1024 * 1024, 2 ** 30, 'Size of a body that is no upload.'),
    bodyBytesPerSecond: Count(1024, 2 ** 30, 'A body that arrives more slowly is refused.'),
    bodyStallMs: Count(10_000, 600_000, 'Over how long that is measured, ms.'),
    keepAliveMs: Count(10_000, 600_000, 'How long a connection may be idle between requests, ms.'),
    drainMs: Count(10_000, 600_000, 'How long requests under way may take at shutdown, ms.'),
  },
  { description: 'What the HTTP server takes from its clients.' },
)

const tls = Type.Object(
  {
    certFile: File(
      "The server's certificate and its chain, in PEM; read again when it changes. Empty: plain HTTP.",
    ),
    keyFile: File('Its private key, in PEM, without a passphrase.'),
  },
  { description: 'Encryption: https and wss instead of http and ws.' },
)

/** The HTTP server. */
export const http = Type.Object(
  {
    host: Host(`Address on which the HTTP server listens. ${LOOPBACK}`),
    port: Port(8080, 'Its TCP port; 0 takes a free one.'),
    allowedOrigins: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        "Origins of web pages that may use the server besides the agent's own, as https://host:port.",
    }),
    allowedHosts: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Host names by which the agent may be reached over HTTP, besides localhost and plain addresses.',
    }),
    maxUploadBytes: Count(512 * MiB, 2 ** 40, 'Uploads with more bytes are refused.'),
    maxSpoolBytes: Count(2048 * MiB, 2 ** 40, 'Disk that uploads may take together.'),
    events,
    tls,
    limits,
  },
  { description: 'The HTTP server: the API, MQTT over WebSocket and live video.' },
)

/** Who may use the agent. */
export const users = Type.Object(
  {
    file: File(
      'Users with their roles and the hashes of their tokens; `heliograph users` edits it. Empty: everybody may do everything.',
    ),
  },
  { description: 'Who may use the agent over HTTP.' },
)
