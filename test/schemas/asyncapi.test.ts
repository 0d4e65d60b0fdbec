import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'
import { describe, expect, it } from 'vitest'
import { asyncApi } from '../../schemas/asyncapi.ts'
import { check } from '../../schemas/decode.ts'
import { examples } from '../../schemas/examples.ts'
import { type Topic, type TopicName, topics } from '../../schemas/topics.ts'

interface Operation {
  readonly action: string
  readonly channel: { readonly $ref: string }
  readonly reply?: object
  readonly bindings: { readonly mqtt: { readonly qos: number; readonly retain: boolean } }
}
interface Document {
  readonly channels: Readonly<Record<string, { readonly address: string | null }>>
  readonly operations: Readonly<Record<string, Operation>>
  readonly components: {
    readonly messages: Readonly<Record<string, { examples: { name: string; payload: unknown }[] }>>
  }
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const asJson = (): Document => JSON.parse(JSON.stringify(asyncApi(version)))
const document = asJson()
const names = Object.keys(topics) as TopicName[]
const bases = {
  root: '{root}/1/',
  agent: '{root}/1/{agent}/',
  service: '{root}/1/{agent}/{service}/',
}

async function faults(of: unknown): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(JSON.stringify(of))
  return diagnostics.filter(({ severity }) => severity === 0).map(({ message }) => message)
}

describe('the AsyncAPI document', () => {
  it('is valid AsyncAPI 3.0', async () => {
    expect(await faults(document)).toEqual([])
  })

  it('would be refused if an operation pointed at no channel', async () => {
    const broken = structuredClone(document) as { operations: Record<string, { channel: object }> }
    broken.operations.compute = { ...broken.operations.compute, channel: { $ref: '#/channels/no' } }
    expect(await faults(broken)).not.toEqual([])
  })

  it('is committed as it is generated (mend: npm run schemas)', () => {
    expect(JSON.parse(readFileSync('schemas/asyncapi.json', 'utf8'))).toEqual(document)
  })

  it('is the same each time it is generated', () => {
    expect(JSON.stringify(asyncApi(version))).toBe(JSON.stringify(asyncApi(version)))
  })

  it('has every topic at its address, and one channel more for replies', () => {
    const addresses = Object.values(document.channels).map(({ address }) => address)
    const expected = names.map((name) => `${bases[topics[name].scope]}${topics[name].path}`)
    expect(addresses.toSorted()).toEqual([...expected, null].toSorted())
  })

  it.each(names)(
    'says of %s who publishes it, with which QoS, and whether it is retained',
    (name) => {
      const { scope, path, way, qos, retain }: Topic = topics[name]
      const [channel] = Object.entries(document.channels).find(
        ([, { address }]) => address === `${bases[scope]}${path}`,
      ) ?? ['']
      const operation = Object.values(document.operations).find(
        (one) => one.channel.$ref === `#/channels/${channel}`,
      )
      expect(operation?.action).toBe(way === 'in' ? 'receive' : 'send')
      expect(operation?.bindings.mqtt).toMatchObject({ qos, retain })
      expect(operation?.reply !== undefined).toBe(way === 'in')
    },
  )

  it.each(names)('shows examples of %s that pass its check and hold no unknown field', (name) => {
    expect(examples[name].length).toBeGreaterThan(0)
    for (const { payload } of examples[name]) {
      expect(check(topics[name].payload, payload)).toEqual({
        ok: true,
        value: payload,
        unknown: [],
      })
    }
  })

  it('shows envelopes of the same examples', () => {
    const { compute, computeEnvelope } = document.components.messages
    const args = computeEnvelope?.examples.map(({ payload }) => (payload as { args: unknown }).args)
    expect(args).toEqual(compute?.examples.map(({ payload }) => payload))
    expect(args?.length).toBeGreaterThan(0)
  })
})
