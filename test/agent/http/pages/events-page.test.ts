import { describe, expect, it } from 'vitest'
import { eventsPage } from '../../../../agent/http/pages/events-page.ts'
import { asyncApi } from '../../../../schemas/asyncapi.ts'
import { type TopicName, topics } from '../../../../schemas/topics.ts'

const text = eventsPage('1.2.3', { root: 'edge', agent: 'porch' })
const articles = new Map(
  [...text.matchAll(/<article id="([^"]*)">(.*?)<\/article>/gs)].map(
    ([, id = '', inner = '']) => [id, inner] as const,
  ),
)
const names = Object.keys(topics) as TopicName[]

describe('the page of the MQTT interface', () => {
  it('has an article for every channel of the AsyncAPI document that has an address', () => {
    const { channels } = asyncApi('1.2.3') as { channels: Record<string, { address: string }> }
    const addresses = Object.values(channels).flatMap(({ address }) => address ?? [])
    expect(addresses.length).toBe(names.length)
    for (const address of addresses) {
      const holding = [...articles.values()].filter((one) =>
        one.includes(`<code>${address}</code>`),
      )
      expect(holding, address).toHaveLength(1)
    }
  })

  it.each(names)('says of %s which way, QoS and retain it has, and links to it', (name) => {
    const { way, qos, retain, summary } = topics[name]
    const article = articles.get(name) ?? ''
    expect(article).toContain(`QoS ${qos}<`)
    expect(article).toContain(way === 'in' ? '>you publish<' : '>the agent publishes<')
    expect(article.includes('>retained<')).toBe(retain)
    expect(article).toContain(summary.replace(/"/g, '&quot;').replace(/'/g, '&#39;'))
    expect(text.split(`href="#${name}"`).length - 1).toBe(2)
  })

  it('names the agent, and holds no script and no style of its own', () => {
    expect(text).toContain('<code>porch</code>')
    expect(text).not.toMatch(/<script(?![^>]*\bsrc="\/docs\/)|<style|\bstyle=|\bon\w+=/)
    expect(text.match(/<script/g)).toHaveLength(1)
  })
})
