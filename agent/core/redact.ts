/** Replaces the password of every URL in `text` by `***`. */
export function redact(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/@:]*):[^\s/@]+@/gi, '$1:***@')
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
