import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpClient } from '../agent/client/http.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from './e2e/agent-under-test.ts'
import { needs, needsPython } from './interop/needs.ts'
import { chapterOf, furnish, type Run, runBlocks, sectionsOf } from './readme-examples.ts'

const text = readFileSync('README.md', 'utf8')
const [setup, ...sections] = sectionsOf(chapterOf(text, 'Drive it'))

/** What each of the five prints, in whatever language. */
const visible: Readonly<Record<string, readonly RegExp[]>> = {
  'What is there': [/synthetic:|demo/],
  'Look at something else': [/dog\.mp4/],
  Start: [/start/],
  Watch: [/dog/],
  'One picture': [/dog/, /(\d+(\.\d+)?[,\s]+){3}\d+/],
  'The same over MQTT': [
    /detections +default .*dog \d+ %/,
    /dog\.jpg +dog +\d+ % +\d+ \d+ \d+ \d+/,
  ],
}

/** Publishing has no answer; what became of it is seen in the agent's state in the end. */
const quiet = ['mosquitto', 'Python, over MQTT', 'TypeScript, over MQTT'].flatMap((heading) => [
  `${heading}: Look at something else`,
  `${heading}: Start`,
])

/** Pictures that an example saves. */
const saved: Readonly<Record<string, string>> = {
  'heliograph ctl: One picture': 'seen-by-ctl.jpg',
  'curl: One picture': 'seen-by-curl.jpg',
}

const runnable: Readonly<Record<string, boolean>> = {
  curl: needs('curl', 'curl'),
  mosquitto: needs('mosquitto_sub', 'mosquitto-clients'),
  'Python, over HTTP': needs('python3', 'python3'),
  'Python, over MQTT': needsPython('paho.mqtt.client', 'python3-paho-mqtt'),
}

let agent: AgentUnderTest
const folder = mkdtempSync(join(tmpdir(), 'heliograph-examples-'))

beforeAll(async () => {
  await furnish(folder)
  agent = await startAgentUnderTest({ 'services.demo.compute': 'stop' })
})
afterAll(async () => {
  await agent.stop()
  rmSync(folder, { recursive: true })
})

/** The variables that the text sets, as this agent has them. */
function variables(): Record<string, string> {
  const { mqtt, http } = agent.running.addresses
  const { hostname, port } = new URL(mqtt)
  return {
    AGENT: http,
    BROKER: hostname,
    PORT: port,
    TOPICS: agent.topic('demo'),
    CLIP: media('dog.mp4'),
    PICTURE: 'examples/media/dog.jpg',
  }
}

/** As the demo is before anybody touches it. */
async function reset(): Promise<void> {
  const client = httpClient({ url: new URL(agent.running.addresses.http) })
  await client.compute({ action: 'stop' })
  await client.set('input', 'synthetic:')
  await client.close()
}

it('the examples use the variables that the text sets, and no others', () => {
  const code = setup?.blocks.map((block) => block.code).join('') ?? ''
  const set = [...code.matchAll(/\b([A-Z]+)=/g)].map(([, name = '']) => name)
  expect(set.toSorted()).toEqual(Object.keys(variables()).toSorted())
})

it('the text shows the five things with every client', () => {
  expect(sections.map(({ heading }) => heading)).toEqual([
    'heliograph ctl',
    'curl',
    'mosquitto',
    'Python, over HTTP',
    'Python, over MQTT',
    'TypeScript, over HTTP',
    'TypeScript, over MQTT',
  ])
  for (const { blocks } of sections) expect(blocks.length).toBeGreaterThanOrEqual(5)
})

describe.each(sections)('the examples of $heading', ({ heading, language, blocks }) => {
  const nameOf = (title: string) => `${heading}: ${keyOf(title)}`
  const test = runnable[heading] === false ? it.skip : it
  let run: Run
  let since: number

  beforeAll(async () => {
    if (runnable[heading] === false) return
    await reset()
    since = agent.heard.length
    run = await runBlocks(language, blocks, folder, variables())
  }, 120_000)

  test('run to their end', () => {
    expect(run).toMatchObject({ code: 0, stderr: '' })
  })

  test.each(blocks)('do what they say: $title', async ({ title }) => {
    const printed = run.printed.get(title)
    const expected = quiet.includes(nameOf(title)) ? [/^$/] : (visible[keyOf(title)] ?? [])
    expect(expected).not.toEqual([])
    for (const pattern of expected) expect(printed).toMatch(pattern)
    const picture = saved[nameOf(title)]
    if (picture) expect((await sharp(join(folder, picture)).metadata()).format).toBe('jpeg')
  })

  test('leave the agent looking at the clip', async () => {
    const clip = { url: media('dog.mp4'), loop: true }
    const isClip = (value: { default?: object }) =>
      expect.objectContaining(clip).asymmetricMatch(value.default)
    await agent.next('demo/input', isClip, since)
    await agent.next('demo/state', ({ state }) => state === 'running', since)
  })
})

function keyOf(title: string): string {
  return Object.keys(visible).find((key) => title.startsWith(key)) ?? title
}
