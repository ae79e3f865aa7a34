// Sliding windows as views: `unfold` shows each window of a tensor without copying it, `fold` adds windows up again. They
// are adjoint to each other. Pooling and convolution are made of the first.
import { checkDim, formatShape, ShapeError, ValueError, type AffineMap, type Shape } from '@nabla/engine'
import {
  createOp,
  defineFunction,
  defineOp,
  toTensor,
  type OpFunction,
  type TensorLike,
  type TensorOp,
} from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { assemble, slice, surround } from './pieces.ts'

/** One number for all dimensions, or one per dimension. */
type PerDim = number | readonly number[]

/**
 * Windows of `sizes` along `dims`, every `steps`, their elements `dilations` apart. Each of `dims` becomes the number of
 * windows, and the window sizes follow as new last dimensions, in the order of `dims`. No copy is made.
 *
 * Shape: `unfold(x [N, C, H, W], [2, 3], [3, 3])` is `[N, C, H - 2, W - 2, 3, 3]`.
 */
export const unfold: OpFunction<
  (x: TensorLike, dims: PerDim, sizes: PerDim, steps?: PerDim, dilations?: PerDim) => Tensor
> = defineOp({
  name: 'unfold',
  lowering: {
    kind: 'view',
    view: (input, attributes): AffineMap => {
      const dims = attributes['dims'] as readonly number[]
      const steps = attributes['steps'] as readonly number[]
      const dilations = attributes['dilations'] as readonly number[]
      const counts = input.map((_, dim) => {
        const i = dims.indexOf(dim)
        return [[dim, i < 0 ? 1 : steps[i]!]] as [number, number][]
      })
      const windows = dims.map((dim, i) => [[dim, dilations[i]!]] as [number, number][])
      return { kind: 'affine', start: input.map(() => 0), moves: [...counts, ...windows] }
    },
  },
  gradient: ({ inputs: [x], attributes }, upstream) => {
    const dims = attributes['dims'] as readonly number[]
    const lengths = dims.map((dim) => x.shape[dim]!)
    return [
      upstream.fold(
        dims,
        lengths,
        attributes['steps'] as readonly number[],
        attributes['dilations'] as readonly number[],
      ),
    ]
  },
  call:
    (op) =>
    (value, dims, sizes, steps = 1, dilations = 1) => {
      const x = toTensor('unfold', value)
      const places = (typeof dims === 'number' ? [dims] : dims).map((dim) => checkDim('unfold', dim, x.rank))
      if (new Set(places).size !== places.length)
        throw new ValueError(`unfold: a dimension appears twice in [${places.join(', ')}]`)
      const size = perDim('unfold', 'sizes', sizes, places.length)
      const step = perDim('unfold', 'steps', steps, places.length)
      const dilation = perDim('unfold', 'dilations', dilations, places.length)
      const shape = [...x.shape]
      places.forEach((dim, i) => {
        const reach = (size[i]! - 1) * dilation[i]! + 1
        if (reach > x.shape[dim]!) {
          throw new ShapeError(
            `unfold: a window of ${reach} elements does not fit into dimension ${dim} of shape ${formatShape(x.shape)}; pad it first`,
          )
        }
        shape[dim] = Math.floor((x.shape[dim]! - reach) / step[i]!) + 1
      })
      return makeNode(
        op,
        [x],
        { dims: places, sizes: size, steps: step, dilations: dilation },
        [...shape, ...size],
        x.dtype,
      )
    },
  samples: (make) => [
    [make.real([7]), 0, 3, 2],
    [make.real([2, 6]), 1, 2, 2],
    [make.real([2, 5, 6]), [1, 2], [3, 2], [1, 2]],
    [make.strided([4, 8]), [0, 1], [2, 3], 1, 2],
    [make.real([2, 7]), -1, 2, 3],
  ],
  wrong: [
    {
      args: (make) => [make.real([3]), 0, 4],
      error: 'ShapeError',
      message: /unfold: a window of 4 elements does not fit/,
    },
    {
      args: (make) => [make.real([3]), 0, 2, 0],
      error: 'ValueError',
      message: /unfold: steps must be whole numbers above 0/,
    },
    {
      args: (make) => [make.real([3, 3]), [0, 1], [2]],
      error: 'ValueError',
      message: /unfold: sizes has 1 entries for 2/,
    },
  ],
})

/**
 * Adds overlapping windows up: the adjoint of {@link unfold}. The last dimensions of `x` are the windows, `dims` their
 * counts, and `lengths` the sizes that `dims` have in the result.
 */
export const fold: OpFunction<
  (x: TensorLike, dims: PerDim, lengths: PerDim, steps?: PerDim, dilations?: PerDim) => Tensor
> = defineFunction({
  name: 'fold',
  call: (value: TensorLike, dims: PerDim, lengths: PerDim, steps: PerDim = 1, dilations: PerDim = 1) => {
    let x = toTensor('fold', value)
    const list = typeof dims === 'number' ? [dims] : dims
    const rank = x.rank - list.length
    if (rank < list.length)
      throw new ShapeError(`fold: shape ${formatShape(x.shape)} has no ${list.length} window dimensions`)
    const places = list.map((dim) => checkDim('fold', dim, rank))
    const length = perDim('fold', 'lengths', lengths, places.length)
    const step = perDim('fold', 'steps', steps, places.length)
    const dilation = perDim('fold', 'dilations', dilations, places.length)
    // The last window dimension first, so that it is always the last dimension.
    for (let i = places.length - 1; i >= 0; i--) {
      const reach = (x.shape[places[i]!]! - 1) * step[i]! + (x.shape[x.rank - 1]! - 1) * dilation[i]! + 1
      if (reach > length[i]!) {
        throw new ShapeError(
          `fold: windows of shape ${formatShape(x.shape)} reach ${reach} elements, beyond length ${length[i]}`,
        )
      }
      x = foldOne(x, places[i]!, length[i]!, step[i]!, dilation[i]!)
    }
    return x
  },
  samples: (make) => [
    [make.real([3, 3]), 0, 7, 2],
    [make.real([2, 3, 2]), 1, 6, 2],
    [make.real([2, 3, 3, 3, 2]), [1, 2], [5, 6], [1, 2]],
    [make.strided([2, 2, 2]), 1, 8, 3, 2],
  ],
  wrong: [
    {
      args: (make) => [make.real([3, 3]), 0, 4],
      error: 'ShapeError',
      message: /fold: windows of shape \[3, 3\] reach 5/,
    },
  ],
})

// Adds the windows of the last dimension to the places they come from along `dim`.
function foldOne(x: Tensor, dim: number, length: number, step: number, dilation: number): Tensor {
  const last = x.rank - 1
  const size = x.shape[last]!
  if ((size - 1) * dilation < step) return foldApart(x, dim, length, step, dilation)
  // Windows overlap: spread over a line for each window position, the lines are sheared so that what belongs to one
  // place stands in one column, and summed.
  const reach = (size - 1) * dilation
  const line = length + reach
  const only = (value: number, otherwise: number): number[] =>
    x.shape.map((_, i) => (i === dim ? value : otherwise))
  const spread = assemble(
    [x],
    [only(reach, 0)],
    [only(step, 1)],
    x.shape.map((n, i) => (i === dim ? line : n)),
    0,
  )
  return shear(spread, dim, length, reach, -dilation).sum(last)
}

// Windows that do not overlap are laid out one after the other.
function foldApart(x: Tensor, dim: number, length: number, step: number, dilation: number): Tensor {
  const last = x.rank - 1
  const spaced = x.shape.map((n, i) => (i === last ? step : n))
  const steps = x.shape.map((_, i) => (i === last ? dilation : 1))
  const windows = assemble([x], [x.shape.map(() => 0)], [steps], spaced, 0)
  const merged = windows.movedim(last, dim + 1).flatten(dim, dim + 1)
  const laid = merged.shape[dim]!
  const only = (value: number): number[] => merged.shape.map((_, i) => (i === dim ? value : 0))
  if (laid <= length) return surround(merged, only(0), only(length - laid), 0)
  return slice(
    merged,
    only(0),
    merged.shape.map(() => 1),
    merged.shape.map((n, i) => (i === dim ? length : n)),
  )
}

const shearOp: TensorOp = createOp(
  'shear',
  {
    kind: 'view',
    view: (input, attributes): AffineMap => {
      const dim = attributes['dim'] as number
      const last = input.length - 1
      return {
        kind: 'affine',
        start: input.map((_, i) => (i === dim ? (attributes['start'] as number) : 0)),
        moves: input.map((_, i) =>
          i === last
            ? [
                [last, 1],
                [dim, attributes['slope'] as number],
              ]
            : [[i, 1]],
        ),
      }
    },
  },
  ({ inputs: [x], attributes }, upstream) => {
    // The adjoint shears the other way, after zeros have been put wherever that would reach outside.
    const dim = attributes['dim'] as number
    const start = attributes['start'] as number
    const slope = attributes['slope'] as number
    const drift = slope * (x.shape[x.rank - 1]! - 1)
    const before = Math.max(0, start, start + drift)
    const after = Math.max(0, x.shape[dim]! - upstream.shape[dim]! - Math.min(start, start + drift))
    const only = (value: number): number[] => x.shape.map((_, i) => (i === dim ? value : 0))
    const padded = surround(upstream, only(before), only(after), 0)
    return [shear(padded, dim, x.shape[dim]!, before - start, -slope)]
  },
)

/** out[.., p, .., w] = x[.., start + p + slope * w, .., w], with p along `dim` up to `length` and w the last dimension. */
function shear(x: Tensor, dim: number, length: number, start: number, slope: number): Tensor {
  const shape: Shape = x.shape.map((size, i) => (i === dim ? length : size))
  return makeNode(shearOp, [x], { dim, start, slope }, shape, x.dtype)
}

function perDim(op: string, what: string, given: PerDim, count: number): readonly number[] {
  const list = typeof given === 'number' ? Array.from({ length: count }, () => given) : given
  if (list.length !== count)
    throw new ValueError(`${op}: ${what} has ${list.length} entries for ${count} dimensions`)
  if (!list.every((value) => Number.isInteger(value) && value > 0)) {
    throw new ValueError(`${op}: ${what} must be whole numbers above 0; got [${list.join(', ')}]`)
  }
  return list
}
