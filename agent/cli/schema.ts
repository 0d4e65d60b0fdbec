import { asyncApi } from '../../schemas/asyncapi.ts'
import { openApi } from '../../schemas/openapi.ts'

const documents = { asyncapi: asyncApi, openapi: openApi } as const

/** Names of the documents that can be printed. */
export type DocumentName = keyof typeof documents

/** Prints the MQTT interface as an AsyncAPI document, or the HTTP interface as an OpenAPI document, in JSON. */
export function printSchema(name: DocumentName, version: string): void {
  process.stdout.write(`${JSON.stringify(documents[name](version), null, 2)}\n`)
}
