import { describe, expect, it } from 'vitest'
import { createSource, knownSchemes } from '../../../agent/sources/registry.ts'
import { sourceSchemes } from '../../../schemas/urls.ts'
import { sourceContext } from './surroundings.ts'

describe('the registry of sources', () => {
  it('has the schemes that the contract names', () => {
    expect([...knownSchemes].sort()).toEqual([...sourceSchemes].sort())
  })

  it('names the schemes it knows when it knows none for a URL, and no password', () => {
    const make = () => createSource({ url: 'gopher://user:secret@host/' }, sourceContext())
    expect(make).toThrow(expect.objectContaining({ code: 'SOURCE_UNSUPPORTED' }))
    expect(make).toThrow(/^(?!.*secret).*file: .*synthetic:/)
  })

  it('takes a URL without a scheme as a path, and schemes in any case', () => {
    expect(createSource({ url: 'some/clip.mp4' }, sourceContext()).live).toBe(false)
    expect(createSource({ url: 'SYNTHETIC:?live=1' }, sourceContext()).live).toBe(true)
  })

  it('refuses the region option rather than ignoring it', () => {
    const make = () => createSource({ url: 'synthetic:', region: [0, 0, 10, 10] }, sourceContext())
    expect(make).toThrow(/region/)
  })
})
