import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:tls'
import { createSecureContext } from 'node:tls'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { type FileWatch, watchFiles } from './file-watch.ts'

/** Certificate and key, each in a file (PEM); both empty: no TLS. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** What the files hold; they belong together. */
export interface TlsPair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Reads and checks both. @throws AgentError CONFIG_INVALID: names the file and what mends it */
export async function readTls({ certFile, keyFile }: TlsFiles, log: Log): Promise<TlsPair> {
  const cert = await read('http.tls.certFile', certFile)
  const key = await read('http.tls.keyFile', keyFile)
  const certificate = attempt('http.tls.certFile', `${certFile}: no certificate in PEM`, () => {
    createSecureContext({ cert })
    return new X509Certificate(cert)
  })
  const pair = `${keyFile}: no private key in PEM without a passphrase for the certificate in ${certFile}`
  attempt('http.tls.keyFile', pair, () => createSecureContext({ cert, key }))
  const { validTo } = certificate
  if (Date.parse(validTo) < Date.now()) {
    log.warn({ certFile, validTo }, 'the certificate has expired: clients will refuse it')
  }
  return { cert, key }
}

/** Takes a new certificate into use when the files change; one that is wrong is logged, and the old one stays. */
export function followTls(server: Server, files: TlsFiles, log: Log): Promise<FileWatch> {
  return watchFiles([files.certFile, files.keyFile], async () => {
    try {
      server.setSecureContext(await readTls(files, log))
      log.info({ ...files }, 'a new certificate is in use')
    } catch (error) {
      log.error({ error }, 'the new certificate cannot be used; the old one stays')
    }
  })
}

async function read(setting: string, file: string): Promise<Buffer> {
  return readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const why = { ENOENT: 'there is no such file', EACCES: 'the agent may not read it' }[
      String(cause.code)
    ]
    const message = `${setting}: ${file}: ${why ?? cause.message}`
    throw new AgentError('CONFIG_INVALID', message, { cause })
  })
}

function attempt<T>(setting: string, problem: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw new AgentError('CONFIG_INVALID', `${setting}: ${problem}`, { cause })
  }
}
