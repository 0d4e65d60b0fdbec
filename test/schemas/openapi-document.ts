/** A schema as the document has it. */
export type DocumentSchema = Readonly<Record<string, unknown>>

/** One media type of a body. */
interface Media {
  readonly schema?: DocumentSchema
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

/** Bodies by media type. */
export type Content = Readonly<Record<string, Media>>

/** One answer. */
export interface Answered {
  /** Where it is described, if not here; a description here comes first. */
  readonly $ref?: string
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Content
}

/** One operation. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly security: readonly object[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly example?: string
    /** Instead of all the others, where it is shared. */
    readonly $ref?: string
  }[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, Answered>>
}

/** The parts of an OpenAPI document that tests look at. */
export interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, DocumentSchema>>
    readonly responses: { readonly problem: Answered }
  }
}

/** Every operation with its name, as `PUT /input`. */
export function operationsOf({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  )
}

/** Every example of a body. */
export function valuesOf(content: Content) {
  return Object.entries(content).flatMap(([type, { schema = {}, examples = {} }]) =>
    Object.entries(examples).map(([example, { value }]) => ({ type, schema, example, value })),
  )
}
