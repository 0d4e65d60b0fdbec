/** Replaces the password of every URL in `text` by `***`, in time linear in its length. */
export function redact(text: string): string {
  // One pattern that also looks for the scheme takes quadratic time on a long run of letters, such
  // as the base64 of a `data:` URI: seconds for 100 KB.
  const [start = '', ...rests] = text.split('://')
  const masked = rests.map((rest) => rest.replace(/^([^\s/@:]*):[^\s/@]+@/, '$1:***@'))
  return [start, ...masked].join('://')
}

/** `url`, with the password that `before` has for the same scheme, user and host where `url` says `***`. */
export function restorePassword(url: string, before: string | undefined): string {
  const pattern = /^([a-z][a-z0-9+.-]*:\/\/[^\s/@:]*):([^\s/@]+)@([^/?#]*)/i
  const [wholeNew, whoNew, secretNew, hostNew] = pattern.exec(url) ?? []
  const [, whoOld, secretOld, hostOld] = pattern.exec(before ?? '') ?? []
  if (!wholeNew || secretNew !== '***' || !secretOld) return url
  if (whoNew !== whoOld || hostNew !== hostOld) return url
  return `${whoNew}:${secretOld}@${hostNew}${url.slice(wholeNew.length)}`
}
