import { parse } from 'node:path'

/** The file of a drawn picture: in `pattern`, `{name}` is the source's name without its ending, `{seq}` its number. */
export function drawnName(pattern: string, source: string, seq: number): string {
  return pattern.replaceAll('{name}', nameOf(source)).replaceAll('{seq}', String(seq))
}

/** `/a/dog.mp4` and `http://host/dog.mp4?x` are both `dog`. */
function nameOf(source: string): string {
  const path = source.startsWith('data:') ? 'data' : source.replace(/[?#].*$/, '')
  return parse(path).name.replace(/[^\p{L}\p{N}._-]+/gu, '_') || 'picture'
}
