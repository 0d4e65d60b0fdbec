/** How a secret is published. */
export const MASKED = '***'

/** Replaces the password of every URL in `text`, and every token, by `***`, in time linear in its length. */
export function redact(text: string): string {
  return withoutTokens(withoutPasswords(text))
}

/** Tokens of the agent's users, wherever they are, and whatever else was sent as one. */
function withoutTokens(text: string): string {
  if (!/hg_|access_token=|bearer /i.test(text)) return text
  return text
    .replace(/\bhg_[\w-]{43}/g, MASKED)
    .replace(/(\baccess_token=|\bbearer +)(?!\*\*\*|realm=)[\w.~+/%=-]+/gi, `$1${MASKED}`)
}

function withoutPasswords(text: string): string {
  // One pattern that also looks for the scheme takes quadratic time on a long run of letters, such
  // as the base64 of a `data:` URI: seconds for 100 KB.
  const [start = '', ...rests] = text.split('://')
  const masked = rests.map((rest) => rest.replace(/^([^\s/@:]*):[^\s/]+@/, '$1:***@'))
  return [start, ...masked].join('://')
}

/** An output as it may be published: its secret is masked, and the password in its URL. */
export function maskedOutput<Spec extends { readonly url: string; readonly secret?: string }>(
  spec: Spec,
): Spec {
  return {
    ...spec,
    url: redact(spec.url),
    ...(spec.secret === undefined ? {} : { secret: MASKED }),
  }
}

/**
 * The secret that `***` stands for in an output to `url`: that of `before`, if both have the same scheme, host
 * and port. Signatures for one place must not be had by naming another.
 */
export function restoreSecret(
  url: string,
  before: { readonly url: string; readonly secret?: string } | undefined,
): string | undefined {
  return before && placeOf(url) === placeOf(before.url) ? before.secret : undefined
}

/** Scheme, host and port. */
function placeOf(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^/?#]*).*$/is, '$1$2').toLowerCase()
}

/** `url`, with the password that `before` has for the same scheme, user and host where `url` says `***`. */
export function restorePassword(url: string, before: string | undefined): string {
  const pattern = /^([a-z][a-z0-9+.-]*:\/\/[^\s/@:]*):([^\s/]+)@([^/?#]*)/i
  const [wholeNew, whoNew, secretNew, hostNew] = pattern.exec(url) ?? []
  const [, whoOld, secretOld, hostOld] = pattern.exec(before ?? '') ?? []
  if (!wholeNew || secretNew !== '***' || !secretOld) return url
  if (whoNew !== whoOld || hostNew !== hostOld) return url
  return `${whoNew}:${secretOld}@${hostNew}${url.slice(wholeNew.length)}`
}
