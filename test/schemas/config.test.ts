import { expect, it } from 'vitest'
import { settings } from '../../schemas/config.ts'
import { check } from '../../schemas/decode.ts'

it('names a variable for each setting, each its own', () => {
  const variables = settings.map(({ variable }) => variable)
  expect(variables).toContain('HELIOGRAPH_BROKER_PORT')
  expect(variables).toContain('HELIOGRAPH_LIMITS_SAMPLES_PER_INPUT')
  expect(variables).toContain('HELIOGRAPH_SOURCES_ADDRESSES_ALLOW')
  expect(new Set(variables).size).toBe(variables.length)
  for (const variable of variables) expect(variable).toMatch(/^HELIOGRAPH(_[A-Z]+){2,}$/)
})

it('describes each setting, and gives it a default that is valid or described', () => {
  for (const { name, schema } of settings) {
    expect(schema.description, name).toMatch(/\.$/)
    if (schema.default === undefined) expect(schema.description, name).toContain('Default: ')
    else expect(check(schema, schema.default), name).toMatchObject({ ok: true })
  }
})
