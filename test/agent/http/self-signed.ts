import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Writes a new certificate of this machine, signed by itself, and its key, by openssl. @returns the certificate */
export function selfSigned(certFile: string, keyFile: string): Buffer {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const args = ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', certFile]
  execFileSync('openssl', args, { stdio: 'ignore' })
  return readFileSync(certFile)
}
