import { describe, expect, it } from 'vitest'
import { hashOf, seedServices } from '../../../agent/control/seed.ts'

const model = { id: 'ssd', device: 'auto', options: {} } as const
const limits = { inputsPerService: 8, outputsPerService: 8 }
const section = { input: 'a.mp4', compute: 'start' } as const
const nothing = { services: {}, removed: {} }
const seed = (
  sections: Parameters<typeof seedServices>[0],
  stored: Parameters<typeof seedServices>[1],
) => seedServices(sections, stored, model, limits)

describe('seedServices', () => {
  it('makes a service of a section that is not stored', () => {
    const { services, overrode } = seed({ demo: section }, nothing)
    expect(services.demo?.desired).toMatchObject({
      inputs: { default: { url: 'a.mp4' } },
      compute: 'start',
      model: { id: 'ssd' },
    })
    expect(overrode).toEqual([])
  })

  it('starts a section that names an input and says nothing of compute', () => {
    expect(seed({ demo: { input: 'a.mp4' } }, nothing).services.demo?.desired.compute).toBe('start')
    expect(seed({ demo: {} }, nothing).services.demo?.desired.compute).toBe('stop')
  })

  it('keeps what was set by command while the section stays the same', () => {
    const first = seed({ demo: section }, nothing)
    const demo = first.services.demo
    if (!demo) throw new Error('no service')
    const changed = { ...demo, desired: { ...demo.desired, compute: 'stop' as const } }
    const again = seed(
      { demo: { compute: 'start', input: 'a.mp4' } },
      { services: { demo: changed }, removed: {} },
    )
    expect(again.services.demo).toEqual(changed)
    expect(again.overrode).toEqual([])
  })

  it('lets a changed section win, and says which services it overrode', () => {
    const first = seed({ demo: section }, nothing)
    const again = seed(
      { demo: { ...section, input: 'b.mp4' } },
      { ...nothing, services: first.services },
    )
    expect(again.services.demo?.desired.inputs.default?.url).toBe('b.mp4')
    expect(again.overrode).toEqual(['demo'])
  })

  it('does not bring back a service that was removed by command, until its section changes', () => {
    const removed = { demo: hashOf(section) }
    expect(seed({ demo: section }, { services: {}, removed }).services).toEqual({})
    const changed = seed({ demo: { ...section, input: 'b.mp4' } }, { services: {}, removed })
    expect(Object.keys(changed.services)).toEqual(['demo'])
  })

  it('leaves services alone that no section names', () => {
    const first = seed({ demo: section }, nothing)
    expect(seed({}, { ...nothing, services: first.services }).services).toEqual(first.services)
  })
})
