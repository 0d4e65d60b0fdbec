import { expect, it } from 'vitest'
import { wantedPreviews } from '../../../agent/control/preview-wishes.ts'

const book = { root: 'plant/edge', agent: 'north' }
const wanted = (...filters: string[]) => wantedPreviews(filters, book, 'door')

it('takes filters that say preview, with one input or all of them', () => {
  expect(wanted('plant/edge/1/north/door/preview/gate')).toEqual(['gate'])
  expect(wanted('plant/edge/1/+/+/preview/yard', 'plant/edge/1/north/door/preview/gate')).toEqual([
    'gate',
    'yard',
  ])
  expect(wanted('plant/edge/1/north/door/preview/+')).toEqual(['*'])
  expect(wanted('plant/edge/1/north/door/preview/#', 'plant/edge/1/north/door/preview/a')).toEqual([
    '*',
  ])
})

it.each([
  '#',
  'plant/edge/1/north/door/#',
  'plant/edge/1/north/door/+/gate',
  'plant/edge/1/north/door/detections/gate',
  'plant/edge/1/north/yard/preview/gate',
  'plant/edge/1/south/door/preview/gate',
  'plant/edge/1/north/door/preview/gate/more',
  'plant/edge/1/north/door/preview',
])('does not take %s for a wish to see pictures', (filter) => {
  expect(wanted(filter)).toEqual([])
})
