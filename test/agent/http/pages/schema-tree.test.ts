import { describe, expect, it } from 'vitest'
import { schemaTree } from '../../../../agent/http/pages/schema-tree.ts'
import Type from '../../../../schemas/typebox.ts'

/** What a reader sees, line by line. */
function readable(schema: object): string[] {
  const text = schemaTree(schema)
    .html.replace(/<\/?(?:ul|li|p|details|summary|div)\b[^>]*>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&gt;/g, '>')
    .replace(/&lt;/g, '<')
    .replace(/&quot;/g, '"')
  const lines = text.split('\n').map((line) => line.trim().replace(/\s+/g, ' '))
  return lines.filter((line) => line !== '')
}

describe('the tree of a schema', () => {
  it('says which fields there are, of which type, which must be there, and what they mean', () => {
    const schema = Type.Object({
      label: Type.String({ description: 'What it is.' }),
      score: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    })
    expect(readable(schema)).toEqual([
      'object',
      'label required string What it is.',
      'score number ≥ 0, ≤ 1',
    ])
  })

  it('names limits of texts', () => {
    const schema = Type.String({ minLength: 1, maxLength: 9, pattern: '^[a-z]+$' })
    expect(readable(schema)).toEqual([
      'string at least 1 characters, at most 9 characters, matches ^[a-z]+$',
    ])
  })

  it('goes into lists, tuples and maps', () => {
    const schema = Type.Object({
      items: Type.Array(Type.Object({ box: Type.Tuple([Type.Number(), Type.Number()]) })),
      byId: Type.Record(Type.String(), Type.Object({ url: Type.String() })),
    })
    expect(readable(schema)).toEqual([
      'object',
      'items required list of object',
      'box required [number, number]',
      'byId required map by id',
      '<id>',
      'object',
      'url required string',
    ])
  })

  it('tells options apart, each with its fields', () => {
    const one = Type.Object({ url: Type.String() })
    const schema = Type.Union([Type.String(), one, Type.Record(Type.String(), Type.Boolean())])
    expect(readable(schema)).toEqual([
      'string | object | map by id',
      'One of:',
      'string',
      'object',
      'url required string',
      'map by id',
      '<id> boolean',
    ])
  })

  it('puts the fields of all parts of an intersection together', () => {
    const schema = Type.Intersect([
      Type.Object({ url: Type.String() }),
      Type.Object({ state: Type.Enum(['open', 'failed']) }),
    ])
    expect(readable(schema)).toEqual([
      'object',
      'url required string',
      'state required "open" | "failed"',
    ])
  })
})
