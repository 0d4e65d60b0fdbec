const reasons = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  413: 'Request Entity Too Large',
  451: 'Parameter Not Understood',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'RTSP Version Not Supported',
  551: 'Option not supported',
} as const

/** The status codes that this server sends (RFC 2326, section 7.1.1). */
export type Status = keyof typeof reasons

/** An answer to a request. */
export interface RtspResponse {
  readonly status: Status
  /** Values hold no line breaks. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** An answer as it travels (RFC 2326, section 7); without `cseq` where the request had none to repeat. */
export function responseText({ status, headers = [], body }: RtspResponse, cseq?: string): string {
  const all: (readonly [string, string])[] = [
    ...(cseq === undefined ? [] : [['CSeq', cseq] as const]),
    ['Server', 'Heliograph'],
    ...headers,
    ...(body === undefined ? [] : [['Content-Length', String(Buffer.byteLength(body))] as const]),
  ]
  const lines = all.map(([name, value]) => `${name}: ${value}`)
  return [`RTSP/1.0 ${status} ${reasons[status]}`, ...lines, '', body ?? ''].join('\r\n')
}
