import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Compile } from 'typebox/schema'
import { describe, expect, it } from 'vitest'
import { check } from '../../schemas/decode.ts'
import { bodyExamples } from '../../schemas/examples-http.ts'
import { openApi } from '../../schemas/openapi.ts'
import type { Route } from '../../schemas/route.ts'
import { routes } from '../../schemas/routes.ts'
import Type from '../../schemas/typebox.ts'
import { type Document, operationsOf, valuesOf } from './openapi-document.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const asJson = (table?: Readonly<Record<string, Route>>): Document =>
  JSON.parse(JSON.stringify(openApi(version, table)))
const document = asJson()
const table = Object.entries<Route>(routes)
const operations = operationsOf(document)
const operationOf = (name: string) => operations.find((one) => one.name === name)?.operation

async function faults(of: object) {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(of)))
  return valid ? [] : [errors]
}

describe('the OpenAPI document', () => {
  it("is valid under the OpenAPI Initiative's own schema of 3.1", async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(await faults(document)).toEqual([])
  })

  it('would be refused if an answer had no description, or a reference led nowhere', async () => {
    const { Inputs: _, ...schemas } = document.components.schemas
    const astray = { ...document, components: { ...document.components, schemas } }
    expect(await faults(astray)).not.toEqual([])
    const nameless = { responses: { 200: {} } }
    expect(await faults({ ...document, paths: { '/info': { get: nameless } } })).not.toEqual([])
  })

  it('is committed as it is generated (mend: npm run schemas)', () => {
    expect(JSON.parse(readFileSync('schemas/openapi.json', 'utf8'))).toEqual(document)
  })

  it('has every route of the table, and no other', () => {
    expect(operations.map(({ name }) => name).toSorted()).toEqual(Object.keys(routes).toSorted())
  })

  it('names each operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(table)(
    'says of %s what it takes, who may call it, and what it answers',
    (name, route) => {
      const { role, params, body, uploads, answers, summary } = route
      const operation = operationOf(name)
      expect(operation?.summary).toBe(summary)
      expect(operation?.security).toEqual(role === 'anyone' ? [] : [{}, { bearer: [role] }])
      const inPath = operation?.parameters
        ?.filter((one) => one.in === 'path')
        .map((one) => one.name)
      expect(inPath ?? []).toEqual(Object.keys(params?.properties ?? {}))
      expect(operation?.requestBody !== undefined).toBe((body ?? uploads) !== undefined)
      const statuses = Object.keys(operation?.responses ?? {})
      expect(statuses).toEqual(expect.arrayContaining([...Object.keys(answers), '403', 'default']))
      expect(statuses.includes('401')).toBe(role !== 'anyone')
      expect(statuses.filter((status) => status < '400')).toEqual(
        Object.keys(answers).filter((status) => status < '400'),
      )
    },
  )

  it.each(table.filter(([, { body }]) => body))(
    'shows examples of the body of %s that pass its check and hold no unknown field',
    (name, { body = Type.Never() }) => {
      const all = bodyExamples(name)
      expect(all.length).toBeGreaterThan(0)
      for (const { payload } of all) {
        expect(check(body, payload)).toEqual({ ok: true, value: payload, unknown: [] })
      }
      const shown = valuesOf(operationOf(name)?.requestBody?.content ?? {})
      expect(shown.map(({ example }) => example).toSorted()).toEqual(
        all.map((example) => example.name).toSorted(),
      )
    },
  )

  it('shows examples of answers that are what the document says', () => {
    const answers = operations.flatMap(({ operation }) => Object.values(operation.responses))
    const shown = answers.flatMap(({ content }) => valuesOf(content ?? {}))
    expect(shown.length).toBeGreaterThan(5)
    for (const { schema, value } of shown) {
      const validator = Compile({ ...schema, components: document.components })
      expect(validator.Errors(value)[1]).toEqual([])
    }
  })

  it('names the problems of each operation: what its shape implies, and what its work may end in', () => {
    const problemsOf = (name: string) =>
      Object.entries(operationOf(name)?.responses ?? {})
        .filter(([status]) => status >= '400' && status !== 'default')
        .map(([status, { description }]) => [
          status,
          description.match(/[A-Z]{2,}(_[A-Z]+)*(?=`:)/g),
        ])
    expect(problemsOf('GET /health/live')).toEqual([
      ['403', ['NOT_AUTHORIZED']],
      ['429', ['LIMIT_EXCEEDED']],
    ])
    expect(problemsOf('PUT /services/{service}/output')).toEqual([
      ['400', ['MESSAGE_INVALID']],
      ['401', ['NOT_AUTHORIZED']],
      ['403', ['NOT_AUTHORIZED']],
      ['404', ['NOT_FOUND']],
      ['412', ['CONFLICT']],
      ['413', ['LIMIT_EXCEEDED']],
      ['415', ['MESSAGE_INVALID']],
      ['422', ['CONFLICT', 'SINK_UNSUPPORTED', 'LIMIT_EXCEEDED']],
      ['429', ['LIMIT_EXCEEDED']],
    ])
  })

  it('promises headers of requests where they are heeded', () => {
    const headersOf = (name: string) =>
      operationOf(name)?.parameters?.flatMap(({ $ref = '' }) => $ref.split('/').at(-1) || [])
    expect(headersOf('PUT /compute')).toEqual(['ifMatch', 'ifNoneMatch', 'idempotencyKey'])
    expect(headersOf('POST /services')).toEqual(['idempotencyKey'])
    expect(headersOf('POST /compute')).toEqual([])
  })

  it('refers to schemas by the names they are exported under', () => {
    const { content } = operationOf('GET /input')?.responses['200'] ?? {}
    expect(content?.['application/json']?.schema).toEqual({ $ref: '#/components/schemas/Inputs' })
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['InputSpec', 'OutputSpec', 'ServiceView', 'Detections', 'Problem']),
    )
  })

  it('writes no tuple as JSON Schema had them before 2020-12', () => {
    const { Box, Region } = document.components.schemas
    for (const tuple of [Box, Region]) {
      expect(tuple).toMatchObject({ type: 'array', items: false, minItems: 4 })
      expect(tuple?.prefixItems).toHaveLength(4)
    }
    expect(JSON.stringify(document.components.schemas)).not.toMatch(/"items":\[|additionalItems/)
  })
})

describe('a route of another kind', () => {
  const picture: Route = {
    method: 'POST',
    path: '/services/{service}/pictures',
    tag: 'services',
    role: 'operator',
    summary: 'Made for this test.',
    params: Type.Object({ service: Type.String() }),
    query: Type.Object({ wait: Type.Optional(Type.Boolean()), last: Type.Integer() }),
    body: Type.Object({ url: Type.String() }),
    uploads: ['multipart/form-data', 'image/*'],
    answers: {
      200: {
        description: 'What was seen.',
        schema: Type.Array(Type.String()),
        content: ['image/jpeg', 'text/event-stream'],
      },
      204: { description: 'Nothing.' },
    },
  }
  const made = asJson({ 'POST /services/{service}/pictures': picture })
  const { post } = made.paths[picture.path] ?? {}

  it('is described validly', async () => {
    expect(await faults(made)).toEqual([])
  })

  it('takes uploads besides JSON, and files in a form', () => {
    const content = post?.requestBody?.content ?? {}
    expect(Object.keys(content)).toEqual(['application/json', 'multipart/form-data', 'image/*'])
    expect(content['multipart/form-data']?.schema).toMatchObject({
      properties: { file: { type: 'array', items: { format: 'binary' } } },
    })
  })

  it('answers pictures and streams besides JSON, and nothing where nothing is to be said', () => {
    const { 200: ok, 204: nothing } = post?.responses ?? {}
    expect(Object.keys(ok?.content ?? {})).toEqual([
      'application/json',
      'image/jpeg',
      'text/event-stream',
    ])
    expect(nothing).toEqual({ description: 'Nothing.' })
  })

  it('takes values in its query, some of which must be there', () => {
    const inQuery = post?.parameters?.filter((one) => one.in === 'query')
    expect(inQuery?.map(({ name, required = false }) => [name, required])).toEqual([
      ['wait', false],
      ['last', true],
    ])
  })
})
