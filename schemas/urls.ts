/** Schemes that sources read; a plain path counts as `file:`. A test holds the registry to it. */
export const sourceSchemes: readonly string[] = [
  'file:',
  'http:',
  'https:',
  'data:',
  'mqtt:',
  'synthetic:',
]

/** Schemes that outputs write. A test holds the registry to it. */
export const sinkSchemes: readonly string[] = [
  'mqtt:',
  'mqtts:',
  'http:',
  'https:',
  'ws:',
  'wss:',
  'file:',
  'rtsp:',
  'rtsps:',
  'rtmp:',
  'rtmps:',
]

/** The scheme of a URL, lower case with its colon; `file:` for a plain path. */
export function schemeOf(url: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.exec(url)?.[0].toLowerCase() ?? 'file:'
}
