/** Markup that may be sent as it is. */
export interface Html {
  readonly html: string
}

/** What a template may hold: text is escaped, markup is not, nothing leaves nothing. */
export type Piece = string | number | Html | readonly Html[] | undefined

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Markup from a template; every text in it is escaped, for content and for quoted attributes. */
export function html(markup: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const written = markup.map((text, index) => text + writtenOf(pieces[index]))
  return { html: written.join('') }
}

function writtenOf(piece: Piece): string {
  if (piece === undefined) return ''
  if (typeof piece === 'object')
    return [piece]
      .flat()
      .map((one) => one.html)
      .join('')
  return String(piece).replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
