// Parts of a tensor: slices with steps, single positions, and NumPy's index expressions as `at`. All are views.
import { checkDim, formatShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { makeHostLeaf, Tensor } from '../tensor.ts'
import { Variable } from '../variable.ts'
import { withoutDims } from './common.ts'
import { slice as slicePositions } from './pieces.ts'

/** Which positions of a dimension a Python slice means. */
interface Range {
  readonly start: number
  readonly step: number
  readonly length: number
}

/**
 * Every `step`-th element from `start` up to and without `end` along `dim`, as Python's `start:end:step`: negative
 * numbers count from the end, what lies outside is left out, and a negative step goes backwards.
 */
export const slice: OpFunction<
  (x: TensorLike, dim: number, start?: number, end?: number, step?: number) => Tensor
> = defineFunction({
  name: 'slice',
  call: (value: TensorLike, dim: number, start?: number, end?: number, step = 1) => {
    const x = toTensor('slice', value)
    const place = checkDim('slice', dim, x.rank)
    return takeRange(x, place, rangeOf('slice', x.shape[place]!, start, end, step))
  },
  samples: (make) => [
    [make.real([5, 3]), 0, 1, 4],
    [make.real([5, 3]), 0, -4, -1, 2],
    [make.strided([4, 6]), 1, 5, 0, -2],
    [make.real([4]), 0, 2, 2],
    [make.real([4, 2]), 0, undefined, undefined, -1],
    [make.real([4]), 0, 1, 100],
  ],
  wrong: [
    {
      args: (make) => [make.real([4]), 0, 0, 2, 0],
      error: 'ValueError',
      message: /slice: the step must be a whole number other than 0/,
    },
    {
      args: (make) => [make.real([4]), 0, 0.5],
      error: 'ValueError',
      message: /slice: start must be a whole number/,
    },
    {
      args: (make) => [make.real([4]), 1],
      error: 'ShapeError',
      message: /slice: dimension 1 does not exist/,
    },
  ],
})

/** `length` elements from `start` along `dim`. @throws ShapeError when they reach beyond the dimension */
export const narrow: OpFunction<(x: TensorLike, dim: number, start: number, length: number) => Tensor> =
  defineFunction({
    name: 'narrow',
    call: (value: TensorLike, dim: number, start: number, length: number) => {
      const x = toTensor('narrow', value)
      const place = checkDim('narrow', dim, x.rank)
      const size = x.shape[place]!
      const first = start < 0 ? start + size : start
      if (
        !Number.isInteger(first) ||
        !Number.isInteger(length) ||
        first < 0 ||
        length < 0 ||
        first + length > size
      ) {
        throw new ShapeError(
          `narrow: ${length} elements from ${start} do not lie within dimension ${dim} of size ${size}`,
        )
      }
      return takeRange(x, place, { start: first, step: 1, length })
    },
    samples: (make) => [
      [make.real([5, 3]), 0, 1, 3],
      [make.real([5, 3]), -1, -2, 2],
      [make.real([4]), 0, 4, 0],
    ],
    wrong: [
      {
        args: (make) => [make.real([4]), 0, 2, 3],
        error: 'ShapeError',
        message: /narrow: 3 elements from 2/,
      },
    ],
  })

/** The part at one position of `dim`, which disappears. */
export const select: OpFunction<(x: TensorLike, dim: number, index: number) => Tensor> = defineFunction({
  name: 'select',
  call: (value: TensorLike, dim: number, index: number) => {
    const x = toTensor('select', value)
    const place = checkDim('select', dim, x.rank)
    const part = takeRange(x, place, positionOf('select', x.shape, place, index))
    return part.reshape(withoutDims(x.shape, [place]))
  },
  samples: (make) => [
    [make.real([4, 3]), 0, 2],
    [make.strided([4, 3]), 1, -1],
    [make.real([3]), 0, 0],
  ],
  wrong: [
    {
      args: (make) => [make.real([4, 3]), 0, 4],
      error: 'ShapeError',
      message: /select: position 4 does not exist/,
    },
  ],
})

/**
 * One entry of an index expression: a whole number takes one position (the dimension disappears); a text is a slice, such
 * as `'1:5'`, `'::-1'` or `':'`; `'...'` stands for as many `':'` as are missing; null is a new dimension of size 1; an
 * int32 tensor or an array of whole numbers picks positions.
 */
export type Index = number | string | null | readonly number[] | Tensor | Variable

/**
 * An index expression as NumPy's `x[...]`: `x.at(0)`, `x.at(':', '1:-1')`, `x.at('...', null, -1)`, `x.at([2, 0])`.
 * Several lists of positions are taken together and must broadcast with one another; they must be neighbours.
 */
export const at: OpFunction<(x: TensorLike, ...indices: Index[]) => Tensor> = defineFunction({
  name: 'at',
  call: (value: TensorLike, ...indices: Index[]) => {
    const x = toTensor('at', value)
    const entries = withoutEllipsis(x.shape, indices)
    const ranges = new Map<number, Range>()
    // Shape after the slices, with taken positions left out and new dimensions put in; lists keep their dimension.
    const shape: number[] = []
    const lists: { dim: number; positions: Tensor }[] = []
    let dim = 0
    for (const entry of entries) {
      if (entry === null) {
        shape.push(1)
        continue
      }
      const size = x.shape[dim]!
      if (typeof entry === 'number') {
        ranges.set(dim, positionOf('at', x.shape, dim, entry))
      } else if (typeof entry === 'string') {
        const range = parseSlice(entry, size)
        ranges.set(dim, range)
        shape.push(range.length)
      } else {
        lists.push({ dim: shape.length, positions: positionsOf(entry, size) })
        shape.push(size)
      }
      dim += 1
    }
    const part = takeRanges(x, ranges).reshape(shape)
    return lists.length === 0 ? part : pick(part, lists)
  },
  samples: (make) => [
    [make.real([4, 4, 5]), -1, ':', -2],
    [make.real([4, 4, 5]), '1:3', ':', '0:4:2'],
    [make.real([4, 4, 5]), '-3:-1', '-2:'],
    [make.real([4, 4, 5]), '...', null, '::-1'],
    [make.real([4, 5]), '2:2'],
    [make.real([3])],
    [make.real([4, 3]), [2, 0, 2]],
    [make.real([4, 4, 5]), [0, 1, 2], [1, 3, 0]],
    [make.real([4, 5]), ':', make.integers([2, 3], 0, 5)],
  ],
  wrong: [
    {
      args: (make) => [make.real([4]), 0, 0],
      error: 'ShapeError',
      message: /at: 2 indices for a tensor of shape \[4\]/,
    },
    {
      args: (make) => [make.real([4]), 4],
      error: 'ShapeError',
      message: /at: position 4 does not exist in dimension 0/,
    },
    { args: (make) => [make.real([4]), '1;2'], error: 'ValueError', message: /at: '1;2' is no slice/ },
    { args: (make) => [make.real([4]), '...', '...'], error: 'ValueError', message: /at: only one '\.\.\.'/ },
    {
      args: (make) => [make.real([4]), [0, 7]],
      error: 'ShapeError',
      message: /at: position 7 does not exist/,
    },
  ],
})

// The usual case, one dimension, without anything that is thrown away at once.
function takeRange(x: Tensor, place: number, { start, step, length }: Range): Tensor {
  if (step === 1 && length === x.shape[place]) return x
  const starts = x.shape.slice()
  const steps = x.shape.slice()
  const shape = x.shape.slice()
  for (let dim = 0; dim < x.rank; dim++) {
    starts[dim] = dim === place ? start : 0
    steps[dim] = dim === place ? step : 1
  }
  shape[place] = length
  return slicePositions(x, starts, steps, shape)
}

function takeRanges(x: Tensor, ranges: ReadonlyMap<number, Range>): Tensor {
  const whole = [...ranges].every(([dim, range]) => range.step === 1 && range.length === x.shape[dim])
  if (whole) return x
  return slicePositions(
    x,
    x.shape.map((_, dim) => ranges.get(dim)?.start ?? 0),
    x.shape.map((_, dim) => ranges.get(dim)?.step ?? 1),
    x.shape.map((size, dim) => ranges.get(dim)?.length ?? size),
  )
}

// The rule of Python's slice.indices().
function rangeOf(
  op: string,
  size: number,
  start: number | undefined,
  end: number | undefined,
  step: number,
): Range {
  if (!Number.isInteger(step) || step === 0)
    throw new ValueError(`${op}: the step must be a whole number other than 0; got ${step}`)
  const lowest = step > 0 ? 0 : -1
  const highest = step > 0 ? size : size - 1
  const bound = (what: string, given: number | undefined, otherwise: number): number => {
    if (given === undefined) return otherwise
    if (!Number.isInteger(given))
      throw new ValueError(`${op}: ${what} must be a whole number; got ${String(given)}`)
    return Math.min(highest, Math.max(lowest, given < 0 ? given + size : given))
  }
  const first = bound('start', start, step > 0 ? lowest : highest)
  const last = bound('end', end, step > 0 ? highest : lowest)
  const length = Math.max(0, Math.ceil((last - first) / step))
  return { start: length === 0 ? 0 : first, step, length }
}

function parseSlice(text: string, size: number): Range {
  const parts = text.split(':')
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => /^\s*(-?\d+)?\s*$/.test(part))) {
    throw new ValueError(`at: '${text}' is no slice. Slices look like ':', '1:5', ':-1' or '::2'`)
  }
  const [start, end, step] = parts.map((part) => (part.trim() === '' ? undefined : Number(part)))
  return rangeOf('at', size, start, end, step ?? 1)
}

function positionOf(op: string, shape: Shape, dim: number, index: number): Range {
  const size = shape[dim]!
  const position = index < 0 ? index + size : index
  if (!Number.isInteger(index))
    throw new ValueError(`${op}: a position must be a whole number; got ${String(index)}`)
  if (position < 0 || position >= size) {
    throw new ShapeError(
      `${op}: position ${index} does not exist in dimension ${dim} of shape ${formatShape(shape)}`,
    )
  }
  return { start: position, step: 1, length: 1 }
}

function withoutEllipsis(shape: Shape, indices: readonly Index[]): Index[] {
  const used = indices.filter((index) => index !== null && index !== '...').length
  const dots = indices.indexOf('...')
  if (dots >= 0 && indices.indexOf('...', dots + 1) >= 0)
    throw new ValueError("at: only one '...' can be expanded")
  if (used > shape.length)
    throw new ShapeError(`at: ${used} indices for a tensor of shape ${formatShape(shape)}`)
  const missing = Array.from({ length: shape.length - used }, () => ':')
  if (dots < 0) return [...indices, ...missing]
  return [...indices.slice(0, dots), ...missing, ...indices.slice(dots + 1)]
}

function positionsOf(entry: unknown, size: number): Tensor {
  if (entry instanceof Tensor || entry instanceof Variable) {
    const positions = toTensor('at', entry)
    if (positions.dtype !== 'int32') {
      throw new ValueError(
        `at: positions must be an int32 tensor; got ${positions.dtype}. For a mask, see where() and maskedFill()`,
      )
    }
    return positions
  }
  if (!Array.isArray(entry))
    throw new ValueError(
      `at: an index is a whole number, a slice text, null, '...' or positions; got ${String(entry)}`,
    )
  const list = entry.map((index: number) => positionOf('at', [size], 0, index).start)
  return hostIntegers(list)
}

function hostIntegers(list: readonly number[]): Tensor {
  return makeHostLeaf(Int32Array.from(list), [list.length], 'int32')
}

// Positions of neighbouring dimensions become one number each, into the dimensions taken as one.
function pick(x: Tensor, lists: readonly { dim: number; positions: Tensor }[]): Tensor {
  const first = lists[0]!.dim
  if (lists.some(({ dim }, i) => dim !== first + i)) {
    throw new ValueError(
      'at: lists of positions must index neighbouring dimensions; permute the tensor first',
    )
  }
  let flat = lists[0]!.positions
  for (const { dim, positions } of lists.slice(1)) flat = flat.mul(x.shape[dim]!).add(positions)
  const merged = lists.length === 1 ? x : x.flatten(first, first + lists.length - 1)
  const picked = merged.indexSelect(first, flat.reshape([flat.size]))
  return picked.reshape([...x.shape.slice(0, first), ...flat.shape, ...x.shape.slice(first + lists.length)])
}
