import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { channelAddress } from '../../schemas/asyncapi.ts'
import { examples } from '../../schemas/examples.ts'
import { type TopicName, topics } from '../../schemas/topics.ts'
import { type AgentUnderTest, startAgentUnderTest } from '../e2e/agent-under-test.ts'
import { type BrowserPage, openBrowser } from './browser.ts'
import { needs } from './needs.ts'

const names = Object.keys(topics) as TopicName[]

let agent: AgentUnderTest
let page: BrowserPage

describe.skipIf(!needs('chromium', 'chromium'))('a browser', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    agent = await startAgentUnderTest()
    page = await openBrowser()
  })
  afterAll(async () => {
    await page?.close()
    await agent?.stop()
  })
  beforeEach(() => page.open('about:blank'))

  const open = (path: string) => page.open(`${agent.running.addresses.http}${path}`)
  const visible = (selector: string) =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('${selector}')].filter((one) => one.checkVisibility()).map((one) => one.id || one.textContent)`,
    )
  const inPage = (expression: string) =>
    expect.poll(() => page.evaluate(expression), { timeout: 20_000 })

  it('finds on /docs/events what is typed, while it is typed', async () => {
    await open('/docs/events')
    expect(await visible('article')).toEqual(expect.arrayContaining(names))
    const about = (name: TopicName) => {
      const { summary, payload } = topics[name]
      const all = [channelAddress(topics[name]), summary, payload, examples[name]]
      return JSON.stringify(all).toLowerCase()
    }
    await page.evaluate(`document.querySelector('#search').focus()`)
    for (const [typed, word] of [
      ['Web', 'web'],
      ['hook', 'webhook'],
    ] as const) {
      await page.type(typed)
      const expected = names.filter((name) => about(name).includes(word))
      expect(expected.length).toBeGreaterThan(0)
      expect(expected.length).toBeLessThan(names.length)
      expect((await visible('article')).toSorted()).toEqual(expected.toSorted())
      const paths = expected.map((name) => topics[name].path)
      expect((await visible('nav a')).toSorted()).toEqual(paths.toSorted())
    }
    await page.type(' nowhere')
    expect(await visible('article')).toEqual([])
    expect(await visible('#nothing')).toEqual(['nothing'])
    expect(page.complaints).toEqual([])
  })

  it('follows a link to a topic, also to one that the search hides', async () => {
    await open('/docs/events#input/set')
    const top = `document.querySelector(':target')?.id`
    expect(await page.evaluate(top)).toBe('input/set')
    await page.evaluate(`document.querySelector('#search').focus()`)
    await page.type('webhook')
    expect(await visible('article')).not.toContain('$cmd/ping')
    await page.evaluate(`location.hash = '#$cmd/ping'`)
    await inPage(`document.querySelector('#search').value`).toBe('')
    expect(await visible('article')).toContain('$cmd/ping')
    await inPage(
      `(({ top, bottom }) => bottom > 0 && top < innerHeight)(document.querySelector(':target').getBoundingClientRect())`,
    ).toBe(true)
  })

  it('shows pages light or dark, as the person prefers', async () => {
    const brightness = `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)`
    await page.prefer('light')
    await open('/docs/events')
    expect(await page.evaluate(brightness)).toBeGreaterThan(600)
    await page.prefer('dark')
    expect(await page.evaluate(brightness)).toBeLessThan(150)
  })

  it('goes from the first page to both descriptions', async () => {
    await open('/')
    const links = await page.evaluate<string[]>(
      `[...document.querySelectorAll('a')].map((one) => one.getAttribute('href'))`,
    )
    expect(links).toEqual(['/docs', '/docs/events', '/info'])
    expect(page.complaints).toEqual([])
  })

  it('complains where a page would load or run what the policy refuses', async () => {
    await open('/docs/events')
    await page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<img src="https://example.org/a.png"><b style="color: red">b</b>')`,
    )
    await expect
      .poll(() => page.complaints.filter((one) => one.includes('Content Security Policy')).length)
      .toBeGreaterThanOrEqual(2)
  })
})
