import { expect, it } from 'vitest'
import { createSource } from '../../../agent/sources/registry.ts'
import { media } from '../../e2e/agent-under-test.ts'
import { sourceContext, witness } from './surroundings.ts'

it.each([
  { name: 'a video', url: media('dog.mp4'), pictures: 368 },
  { name: 'a synthetic one', url: 'synthetic:?frames=60&fps=30', pictures: 60 },
])(
  '$name shows the pictures that its sampling leaves out, in order with the others',
  async ({ url, pictures }) => {
    const order: { pts: number; sampled: boolean }[] = []
    const events = {
      ...witness(),
      passed: ({ pts = -1 }: { pts?: number }) => void order.push({ pts, sampled: false }),
    }
    const source = createSource({ url, fps: 10 }, sourceContext())
    for await (const sample of source.samples(new AbortController().signal, events)) {
      order.push({ pts: sample.pts ?? -1, sampled: true })
      sample.frame.release()
    }
    expect(order.length).toBe(pictures)
    expect(order.filter(({ sampled }) => sampled).length).toBe(Math.ceil(pictures / 3))
    expect(order.every(({ pts }, index) => index === 0 || pts > (order[index - 1]?.pts ?? 0))).toBe(
      true,
    )
  },
)
