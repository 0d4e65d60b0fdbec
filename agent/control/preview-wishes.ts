import { type AddressBook, serviceTopic } from '../../schemas/address.ts'

/** The wildcard for every input of a service. */
const EVERY = '*'

/**
 * Which previews of a service somebody wants: ids of inputs, or `*` for all. A filter counts when it
 * says `preview` literally: who subscribes to everything does not want pictures encoded.
 */
export function wantedPreviews(
  filters: Iterable<string>,
  book: AddressBook,
  service: string,
): readonly string[] {
  const wanted = new Set<string>()
  const levels = serviceTopic(book, service, 'preview').split('/')
  for (const filter of filters) {
    const input = inputOf(filter.split('/'), levels)
    if (input !== undefined) wanted.add(input)
  }
  return wanted.has(EVERY) ? [EVERY] : [...wanted].toSorted()
}

function inputOf(filter: readonly string[], levels: readonly string[]): string | undefined {
  const above = levels.slice(0, -1)
  if (filter[above.length] !== 'preview' || filter.length > levels.length + 1) return undefined
  if (!above.every((level, index) => filter[index] === level || filter[index] === '+'))
    return undefined
  const input = filter[levels.length]
  return input === '+' || input === '#' ? EVERY : input
}
