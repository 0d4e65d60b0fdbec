import { asyncApi } from '../../schemas/asyncapi.ts'

/** Prints the wire contract as an AsyncAPI document in JSON. */
export function printSchema(version: string): void {
  process.stdout.write(`${JSON.stringify(asyncApi(version), null, 2)}\n`)
}
