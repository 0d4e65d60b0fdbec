import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { channelAddress } from '../../schemas/asyncapi.ts'
import { examples } from '../../schemas/examples.ts'
import { type TopicName, topics } from '../../schemas/topics.ts'
import { type AgentUnderTest, startAgentUnderTest } from '../e2e/agent-under-test.ts'
import { type Document, operationsOf } from '../schemas/openapi-document.ts'
import { type BrowserPage, openBrowser } from './browser.ts'
import { needs } from './needs.ts'

const openApi: Document = JSON.parse(readFileSync('schemas/openapi.json', 'utf8'))
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

  /** Opens a call in Swagger UI, carries it out as it stands there, and gives what the page shows of the answer. */
  async function tried(id: string, mediaType?: string) {
    const call = `document.querySelector('[id$="-${id}"]')`
    const answer = `${call}.querySelector('.live-responses-table .response')`
    await page.evaluate(`${call}.querySelector('.opblock-summary-control').click()`)
    await inPage(`Boolean(${call}.querySelector('.execute'))`).toBe(true)
    if (mediaType !== undefined) {
      const select = `${call}.querySelector('select.content-type')`
      await page.evaluate(
        `${select}.value = '${mediaType}'; ${select}.dispatchEvent(new Event('change', { bubbles: true }))`,
      )
    }
    await page.evaluate(`${call}.querySelector('.execute').click()`)
    await inPage(`Boolean(${answer})`).toBe(true)
    return page.evaluate<{ status: number; body: string }>(`({
      status: Number(${answer}.querySelector('.response-col_status').firstChild.textContent),
      body: ${answer}.querySelector('.response-col_description .microlight')?.textContent ?? '',
    })`)
  }

  // That every call can be carried out as the document shows it is in e2e/examples.test.ts.
  it('tries calls of every kind on /docs', async () => {
    await open('/docs')
    const count = operationsOf(openApi).length
    expect(count).toBeGreaterThan(30)
    await inPage(`document.querySelectorAll('.opblock').length`).toBe(count)
    expect(await tried('postServices')).toMatchObject({
      status: 201,
      body: expect.stringContaining('"gate"'),
    })
    expect(await tried('putInput', 'text/plain')).toMatchObject({
      status: 200,
      body: expect.stringContaining('"synthetic:?width=640&height=360&fps=5"'),
    })
    expect(await tried('patchModel')).toMatchObject({
      status: 200,
      body: expect.stringContaining('"minScore": 0.6'),
    })
    expect(await tried('getServicesService')).toMatchObject({
      status: 200,
      body: expect.stringContaining('"synthetic:?width=640&height=360&fps=5"'),
    })
    expect(await tried('deleteServicesService')).toMatchObject({ status: 204 })
    expect(await tried('getServices')).toMatchObject({ status: 200, body: '[]' })
    expect(page.complaints).toEqual([])
  }, 120_000)

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
