import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { phaseOf } from '../../agent/control/view.ts'
import type { AgentError } from '../../agent/core/errors.ts'
import type { FromService, OnceAnswer, ToService } from '../../agent/service/messages.ts'
import type { InputSpec } from '../../schemas/control.ts'
import type { Result } from '../../schemas/results.ts'
import { clip, framesByFfprobe, hasFfmpeg, timesByFfprobe } from '../agent/media/clips.ts'
import { media, startAgentUnderTest } from './agent-under-test.ts'
import { type ServiceUnderTest, serviceUnderTest } from './service-under-test.ts'

const usual = { onceConcurrency: 8, onceQueue: 64 }
const photo = media('dog.jpg')
/** As the contract has it: answers on their way that nobody has taken. */
const UNTAKEN = 4

type Wanted = Parameters<ServiceUnderTest['control']['once']>[0]

const uploaded = (url: string, others: Partial<Wanted> = {}): Wanted => ({
  spec: { url },
  upload: true,
  publish: false,
  ...others,
})

async function all(answers: AsyncIterable<OnceAnswer>): Promise<OnceAnswer[]> {
  const list: OnceAnswer[] = []
  for await (const answer of answers) list.push(answer)
  return list
}

const upTo = (count: number) => Array.from({ length: count }, (_, seq) => seq)
const seqs = (results: readonly Result[]) => results.map(({ seq }) => seq)
const best = ({ items }: Result) => items[0]?.label

/** Answers of a request that were sent and are not taken yet. */
function untakenOf(heard: readonly FromService[], told: readonly ToService[], request: string) {
  const sent = heard.filter(
    (message) => message.type === 'once/answer' && message.request === request,
  )
  const taken = told.filter(
    (message) => message.type === 'once/taken' && message.request === request,
  )
  return sent.length - taken.length
}

describe('uploads', () => {
  it('are answered each with its own result and picture, more at once than are worked on', async () => {
    const service = await serviceUnderTest({ onceConcurrency: 3, onceQueue: 64 })
    const names = upTo(12).map((at) => ['dog.jpg', 'two-dogs.jpg', 'street.jpg'][at % 3] ?? '')
    const answers = await Promise.all(
      names.map((name) =>
        all(
          service.control.once(
            uploaded(service.upload(media(name)), { picture: 'jpeg', tag: name }),
          ),
        ),
      ),
    )
    for (const [at, name] of names.entries()) {
      const { width, height } = await sharp(media(name)).metadata()
      const [{ result, picture } = {}, ...more] = answers[at] ?? []
      expect(more).toEqual([])
      expect(result).toMatchObject({ input: 'once', tag: name, width, height, seq: 0 })
      expect(await sharp(picture).metadata()).toMatchObject({ format: 'jpeg', width, height })
      if (name !== 'street.jpg') expect(result && best(result)).toBe('dog')
    }
    const counts = answers.map(([answer]) => answer?.result.items.length)
    expect(new Set(counts.filter((_, at) => at % 3 === 0)).size).toBe(1)
    expect(phaseOf(service.control.state)).toBe('idle')
  })

  it.skipIf(!hasFfmpeg)(
    'that are videos give the result of every picture, once and in order',
    async () => {
      const file = clip('short.mp4', '-i', media('dog.mp4'), '-c', 'copy', '-t', '2')
      const frames = framesByFfprobe(file)
      const service = await serviceUnderTest(usual)
      const answers = await all(service.control.once(uploaded(service.upload(file))))
      expect(seqs(answers.map(({ result }) => result))).toEqual(upTo(frames))
      const times = answers.map(({ result }) => result.pts ?? -1)
      expect(times).toEqual(timesByFfprobe(file).map((time) => expect.closeTo(time, 3)))
    },
  )

  it('that are read slowly do not pile up, and hold up nobody', async () => {
    const service = await serviceUnderTest(usual)
    const url = service.upload(media('dog.mp4'))
    const slow = service.control.once(uploaded(url, { spec: { url, fps: 5 }, picture: 'jpeg' }))
    const first = await slow.next()
    expect(first.value?.picture?.length).toBeGreaterThan(1000)
    const request = Object.keys(service.control.state.pending)[0] ?? ''
    const others = await Promise.all(
      upTo(6).map(() => all(service.control.once(uploaded(service.upload(photo))))),
    )
    expect(others.map((answers) => answers.length)).toEqual(upTo(6).map(() => 1))
    const untaken = () => untakenOf(service.heard, service.told, request)
    await expect.poll(untaken, { timeout: 10_000 }).toBe(UNTAKEN)
    let most = 0
    let taken = 1
    for await (const { result } of slow) {
      expect(result.seq).toBe(taken)
      taken += 1
      most = Math.max(most, untaken())
    }
    expect(taken).toBeGreaterThan(50)
    expect(most).toBeLessThanOrEqual(UNTAKEN)
  }, 60_000)

  it('whose reader is gone leave their place to the next', async () => {
    const service = await serviceUnderTest({ onceConcurrency: 1, onceQueue: 1 })
    const abort = new AbortController()
    const gone = service.control.once(
      uploaded(service.upload(media('dog.mp4')), { picture: 'jpeg' }),
      {
        signal: abort.signal,
      },
    )
    await gone.next()
    const next = all(service.control.once(uploaded(service.upload(photo))))
    abort.abort()
    await expect(gone.next()).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await next).map(({ result }) => best(result))).toEqual(['dog'])
    const answers = service.heard.filter(({ type }) => type === 'once/answer')
    expect(answers.length).toBeLessThan(20)
    expect(service.heard.filter(({ type }) => type === 'once/done')).toHaveLength(2)
  })

  it('under way when the process crashes fail retryably, and those that wait are answered', async () => {
    const service = await serviceUnderTest({ onceConcurrency: 1, onceQueue: 8 })
    const answers = service.control.once(uploaded(service.upload(media('dog.mp4'))))
    await answers.next()
    const waiting = all(service.control.once(uploaded(service.upload(photo))))
    const { pid } = service.control.usage
    if (pid === undefined) throw new Error('no process runs')
    process.kill(pid, 'SIGSEGV')
    await expect(all(answers)).rejects.toMatchObject({ code: 'SERVICE_CRASHED', retryable: true })
    expect((await waiting).map(({ result }) => best(result))).toEqual(['dog'])
    expect(service.control.usage.pid).not.toBe(pid)
  })

  it('that never cease do not hide which input crashes the process', async () => {
    const service = await serviceUnderTest(usual)
    const bad = () => service.control.state.inputs.bad
    const rest = upTo(4).map(async () => {
      const url = service.upload(photo)
      while (bad()?.state !== 'failed') {
        const asked = all(service.control.once(uploaded(url)))
        await asked.catch(({ code }: AgentError) => expect(code).toBe('SERVICE_CRASHED'))
      }
    })
    const url = 'synthetic:?width=64&height=48&fps=5&live=1&crash=segv&at=1'
    service.control.dispatch({ type: 'input/set', replace: false, patch: { bad: { url } } })
    service.control.dispatch({ type: 'compute/start' })
    await Promise.all(rest)
    expect(bad()?.error).toMatchObject({ code: 'SERVICE_CRASHED' })
    expect(await all(service.control.once(uploaded(service.upload(photo))))).toHaveLength(1)
  }, 60_000)

  it('are read only by the request that they belong to', async () => {
    const service = await serviceUnderTest(usual)
    const url = service.upload(photo)
    const { upload, ...plain } = uploaded(url)
    await expect(all(service.control.once(plain))).rejects.toMatchObject({
      code: 'SOURCE_FORBIDDEN',
    })
    expect(await all(service.control.once(uploaded(url)))).toHaveLength(1)
    const elsewhere = uploaded(photo)
    await expect(all(service.control.once(elsewhere))).rejects.toMatchObject({
      code: 'SOURCE_FORBIDDEN',
    })
  })
})

describe('compute once over MQTT', () => {
  it('waits for its turn, lists a video in one answer, and reads no uploads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heliograph-e2e-'))
    const roots = JSON.stringify([folder, media('.')])
    const settings = { 'sources.roots': roots, 'limits.onceConcurrency': '1' }
    const agent = await startAgentUnderTest(settings, folder)
    onTestFinished(() => agent.stop())
    await agent.ask('$cmd/service/add', { service: 'demo' })
    const once = (input: string | InputSpec) => agent.ask('demo/compute', { action: 'once', input })
    const replies = await Promise.all(upTo(6).map(() => once(photo)))
    expect(replies.map(({ status, data }) => [status, data.items[0].label])).toEqual(
      upTo(6).map(() => ['ok', 'dog']),
    )
    const { data } = await once({ url: media('dog.mp4'), fps: 5 })
    expect(data.results.length).toBeGreaterThan(50)
    expect(seqs(data.results)).toEqual(upTo(data.results.length))
    copyFileSync(photo, join(folder, 'uploads', 'a.jpg'))
    copyFileSync(photo, join(folder, 'b.jpg'))
    expect((await once(join(folder, 'b.jpg'))).status).toBe('ok')
    expect(await once(join(folder, 'uploads', 'a.jpg'))).toMatchObject({ code: 'SOURCE_FORBIDDEN' })
  }, 60_000)
})
