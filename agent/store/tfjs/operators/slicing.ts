import { integer, text } from '../attributes.ts'
import { constantOf } from '../constant.ts'
import type { Emit } from '../emit.ts'
import type { Operators } from '../operator.ts'
import { type Value, wire } from '../value.ts'

/** Operations that take parts of a tensor, look elements up, or put a margin round it. */
export const slicing: Operators = {
  GatherNd: (emit) => wire(emit.add('GatherND', [emit.operand(0), emit.sizes(1)])),
  GatherV2: (emit) => {
    if (integer(emit.node, 'batch_dims') !== 0) throw emit.fault('batch_dims other than 0')
    const axis = emit.count > 2 ? emit.number(2) : 0
    return wire(emit.add('Gather', emit.operands(0, 2), { axis }))
  },
  MirrorPad: (emit) => {
    const mode = text(emit.node, 'mode', 'REFLECT')
    if (mode !== 'REFLECT') throw emit.fault(`mode '${mode}' (known: REFLECT)`)
    return pad(emit, 'reflect')
  },
  Pad: (emit) => pad(emit, 'constant'),
  PadV2: (emit) => pad(emit, 'constant'),
  Slice: (emit) => {
    const begin = emit.numbers(1)
    const end = emit.numbers(2).map((size, axis) => (size === -1 ? FAR : (begin[axis] ?? 0) + size))
    return wire(slice(emit, { begin, end, step: begin.map(() => 1) }))
  },
  StridedSlice: stridedSlice,
}

/** Past the end of every axis. */
const FAR = 2 ** 31 - 1

/** One number per axis, from the first axis on. */
interface Cut {
  readonly begin: readonly number[]
  readonly end: readonly number[]
  readonly step: readonly number[]
}

function stridedSlice(emit: Emit): Value {
  const cut = readCut(emit)
  const single = cut.begin
    .map((_, axis) => axis)
    .filter((axis) => masked(emit, 'shrink_axis', axis))
  const known = emit.known(0)
  if (known?.shape.length === 1 && cut.step[0] === 1) {
    const picked = emit.numbers(0).slice(cut.begin[0], cut.end[0])
    return constantOf(known.dtype, picked, single.length ? [] : undefined)
  }
  const part = slice(emit, cut)
  if (single.length === 0) return wire(part)
  return wire(emit.add('Squeeze', [part, emit.store(constantOf('int64', single))]))
}

/** Operands of a StridedSlice: tensor, begin, end, step. */
function readCut(emit: Emit): Cut {
  for (const mask of ['new_axis_mask', 'ellipsis_mask']) {
    if (integer(emit.node, mask) !== 0) throw emit.fault(`${mask} other than 0`)
  }
  const step = emit.numbers(3)
  const backwards = (axis: number) => (step[axis] ?? 1) < 0
  const begin = emit.numbers(1).map((at, axis) => {
    if (!masked(emit, 'begin', axis)) return at
    return backwards(axis) ? FAR : 0
  })
  const end = emit.numbers(2).map((at, axis) => {
    if (masked(emit, 'shrink_axis', axis)) return begin[axis] === -1 ? FAR : (begin[axis] ?? 0) + 1
    if (!masked(emit, 'end', axis)) return at
    return backwards(axis) ? -FAR : FAR
  })
  return { begin, end, step }
}

/** Bit k of a mask speaks of axis k. */
function masked(emit: Emit, mask: string, axis: number): boolean {
  return ((integer(emit.node, `${mask}_mask`) >> axis) & 1) === 1
}

function slice(emit: Emit, { begin, end, step }: Cut): string {
  const axes = begin.map((_, axis) => axis)
  const lists = [begin, end, axes, step].map((list) => emit.store(constantOf('int64', list)))
  return emit.add('Slice', [emit.operand(0), ...lists])
}

/** Operands: tensor, margins (before and after, per axis), and the value to fill them with. */
function pad(emit: Emit, mode: 'constant' | 'reflect'): Value {
  const margins = emit.numbers(1)
  const before = margins.filter((_, index) => index % 2 === 0)
  const after = margins.filter((_, index) => index % 2 === 1)
  const filler = mode === 'constant' && emit.count > 2 ? [emit.operand(2)] : []
  const pads = emit.store(constantOf('int64', [...before, ...after]))
  return wire(emit.add('Pad', [emit.operand(0), pads, ...filler], { mode }))
}
