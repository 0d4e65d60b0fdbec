import { npm } from './npm-command.ts'

/** Where npm fetches a package, as far as a direct download has to know. */
export interface NpmSettings {
  /** URL of the registry. */
  readonly registry: string
  /** Whether npm is told to use a proxy, which a direct download would not. */
  readonly proxied: boolean
}

const PUBLIC_REGISTRY = 'https://registry.npmjs.org/'

/** What npm is configured for; without npm, the public registry. */
export async function npmSettings(packageName: string, signal: AbortSignal): Promise<NpmSettings> {
  const [scope] = packageName.startsWith('@') ? packageName.split('/') : []
  const keys = ['registry', 'https-proxy', 'proxy', ...(scope ? [`${scope}:registry`] : [])]
  const settings = parse(await npm(['config', 'get', ...keys], signal).catch(() => ''))
  signal.throwIfAborted()
  return {
    registry: settings.get(`${scope}:registry`) ?? settings.get('registry') ?? PUBLIC_REGISTRY,
    proxied: settings.has('https-proxy') || settings.has('proxy'),
  }
}

/** npm prints a line `key=value` for each key, with `null` or `undefined` for what is not set. */
function parse(output: string): Map<string, string> {
  const lines = output.split('\n').map((line) => line.trim().split(/=(.*)/s))
  const known = lines.filter(([, value]) => value && value !== 'null' && value !== 'undefined')
  return new Map(known.map(([key = '', value = '']) => [key, value]))
}
