// Resizing of spatial dimensions. Every way of interpolating is linear, and separate for each dimension: a small matrix says
// how much of each input position goes into each output position, and resizing is a product with it. So all modes share one
// path, antialiasing is one more way of filling the matrix, and gradients are products with its transpose.
import { formatShape, isFloating, lookUp, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { makeHostLeaf, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import { contract } from './contract.ts'

/** Ways of interpolating. `linear`, `bilinear` and `trilinear` are one, for 1, 2 and 3 spatial dimensions. */
export type InterpolationMode = 'nearest' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area'

/** Settings of {@link interpolate}: give either `size` or `scaleFactor`. */
export interface InterpolateOptions {
  /** Spatial sizes of the result. */
  size?: number | readonly number[]
  /** Factors of the spatial sizes; results are rounded down. */
  scaleFactor?: number | readonly number[]
  /** Default nearest. */
  mode?: InterpolationMode
  /** Whether the centres of the corner pixels stay where they are, instead of the image's edges. Default false. */
  alignCorners?: boolean
  /** Whether reducing averages over all pixels that fall into one (linear and cubic modes). Default false. */
  antialias?: boolean
}

/** Weight of an input at a distance from the output's place, in steps of the input. */
type Filter = (distance: number) => number

const hat: Filter = (distance) => Math.max(0, 1 - Math.abs(distance))

// Keys 1981 with a = -0.75; PyTorch takes a = -0.5 where it antialiases.
const cubic =
  (a: number): Filter =>
  (distance) => {
    const t = Math.abs(distance)
    if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0
  }

interface Mode {
  readonly spatial: readonly number[]
  readonly filter: 'nearest' | 'area' | 'linear' | 'cubic'
}

const modes: Readonly<Record<InterpolationMode, Mode>> = {
  nearest: { spatial: [1, 2, 3], filter: 'nearest' },
  area: { spatial: [1, 2, 3], filter: 'area' },
  linear: { spatial: [1], filter: 'linear' },
  bilinear: { spatial: [2], filter: 'linear' },
  trilinear: { spatial: [3], filter: 'linear' },
  bicubic: { spatial: [2], filter: 'cubic' },
}

/**
 * Resizes the spatial dimensions of x [N, C, L], [N, C, H, W] or [N, C, D, H, W], as PyTorch's `F.interpolate`.
 * @throws ShapeError, ValueError
 */
export const interpolate: OpFunction<(x: TensorLike, options: InterpolateOptions) => Tensor> = defineFunction(
  {
    name: 'interpolate',
    call: (value: TensorLike, options: InterpolateOptions) => {
      const given = toTensor('interpolate', value)
      const spatial = given.rank - 2
      if (spatial < 1 || spatial > 3)
        throw new ShapeError(
          `interpolate: x must be [N, C] and 1 to 3 spatial dimensions; got ${formatShape(given.shape)}`,
        )
      const name = options?.mode ?? 'nearest'
      const mode = lookUp('mode of interpolate', name, modes)
      if (!mode.spatial.includes(spatial)) {
        throw new ValueError(
          `interpolate: mode '${name}' is for ${mode.spatial.join(', ')} spatial dimensions; got x ${formatShape(given.shape)}`,
        )
      }
      const lengths = given.shape.slice(2)
      const { targets, scales } = targetsOf(options, lengths)
      if (lengths.includes(0))
        throw new ShapeError(`interpolate: x ${formatShape(given.shape)} has no elements to resize`)
      if (mode.filter === 'nearest') return nearest(given, targets, scales)
      let x = floating(given)
      targets.forEach((target, i) => {
        if (target !== lengths[i] || mode.filter !== 'area')
          x = resizeDimension(x, 2 + i, weightsOf(lengths[i]!, target, scales[i], mode, options))
      })
      return x
    },
    samples: (make) => [
      [make.real([2, 2, 4, 5]), { size: [7, 3] }],
      [make.real([1, 2, 3]), { scaleFactor: 2 }],
      [make.real([2, 2, 4, 5]), { size: [6, 8], mode: 'bilinear' }],
      [make.real([1, 2, 4, 5]), { size: [6, 8], mode: 'bilinear', alignCorners: true }],
      [make.real([1, 2, 4, 5]), { size: [2, 3], mode: 'bilinear', antialias: true }],
      [make.real([2, 2, 5]), { size: 8, mode: 'linear' }],
      [make.real([1, 1, 4, 4]), { scaleFactor: 1.5, mode: 'bicubic' }],
      [make.real([1, 2, 5, 4]), { size: [2, 3], mode: 'area' }],
    ],
    wrong: [
      {
        args: (make) => [make.real([1, 2, 3]), {}],
        error: 'ValueError',
        message: /interpolate: give size or scaleFactor/,
      },
      {
        args: (make) => [make.real([1, 2, 3]), { size: 2, mode: 'bilinear' }],
        error: 'ValueError',
        message: /mode 'bilinear' is for 2 spatial/,
      },
      {
        args: (make) => [make.real([1, 2, 3]), { size: 2, mode: 'lanczos' }],
        error: 'ValueError',
        message: /unknown mode of interpolate 'lanczos'/,
      },
      {
        args: (make) => [make.real([2, 3]), { size: 2 }],
        error: 'ShapeError',
        message: /interpolate: x must be/,
      },
    ],
  },
)

/** Sizes of the result, and the step of the input per step of the output where a factor says it. */
function targetsOf(
  options: InterpolateOptions | undefined,
  lengths: readonly number[],
): { targets: number[]; scales: (number | undefined)[] } {
  const { size, scaleFactor } = options ?? {}
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ValueError('interpolate: give size or scaleFactor, one of them')
  const list = lengths.map((length, i) => {
    const own = (given: number | readonly number[]): number =>
      typeof given === 'number' ? given : (given[i] ?? NaN)
    return size === undefined ? Math.floor(length * own(scaleFactor!)) : own(size)
  })
  const given = size ?? scaleFactor!
  if (
    !list.every((target) => Number.isInteger(target) && target > 0) ||
    (typeof given !== 'number' && given.length !== lengths.length)
  ) {
    throw new ValueError(`interpolate: ${lengths.length} sizes above 0 are needed; got ${formatShape(list)}`)
  }
  const scales = lengths.map((_, i) => {
    if (scaleFactor === undefined) return undefined
    return 1 / (typeof scaleFactor === 'number' ? scaleFactor : scaleFactor[i]!)
  })
  return { targets: list, scales }
}

/** Output i takes input floor(i * step). Whole factors only repeat; others pick. */
function nearest(x: Tensor, targets: readonly number[], scales: readonly (number | undefined)[]): Tensor {
  let result = x
  targets.forEach((target, i) => {
    const dim = 2 + i
    const length = x.shape[dim]!
    if (target === length) return
    if (target % length === 0) {
      result = result.repeatInterleave(target / length, dim)
      return
    }
    const step = scales[i] ?? length / target
    const picked = Int32Array.from({ length: target }, (_, o) => Math.min(length - 1, Math.floor(o * step)))
    result = result.indexSelect(dim, makeHostLeaf(picked, [target], 'int32'))
  })
  return result
}

function resizeDimension(x: Tensor, dim: number, weights: readonly (readonly number[])[]): Tensor {
  const length = x.shape[dim]!
  const flat =
    x.dtype === 'float64'
      ? new Float64Array(weights.length * length)
      : new Float32Array(weights.length * length)
  weights.forEach((row, o) => flat.set(row, o * length))
  const matrix = makeHostLeaf(flat, [weights.length, length], isFloating(x.dtype) ? x.dtype : 'float32')
  const labels = x.shape.map((_, i) => i)
  const output = x.rank
  return contract(
    x,
    matrix,
    labels,
    [output, dim],
    labels.map((label) => (label === dim ? output : label)),
  )
}

/** How much of each input goes into each output. */
function weightsOf(
  length: number,
  target: number,
  scale: number | undefined,
  mode: Mode,
  options: InterpolateOptions,
): number[][] {
  if (mode.filter === 'area') return areaWeights(length, target)
  const antialias = options.antialias === true
  const aligned = options.alignCorners === true
  const step = aligned ? (target > 1 ? (length - 1) / (target - 1) : 0) : (scale ?? length / target)
  const reach = mode.filter === 'cubic' ? 2 : 1
  const filter = mode.filter === 'cubic' ? cubic(antialias ? -0.5 : -0.75) : hat
  return Array.from({ length: target }, (_, o) => {
    const row = Array.from({ length }, () => 0)
    let place = aligned ? o * step : (o + 0.5) * step - 0.5
    if (antialias) {
      const stretch = Math.max(1, step)
      for (let i = 0; i < length; i++)
        row[i] = Math.abs(i - place) < reach * stretch ? filter((i - place) / stretch) : 0
      const sum = row.reduce((total, weight) => total + weight, 0)
      return row.map((weight) => weight / sum)
    }
    // A linear place never leaves the image; a cubic one takes its outer neighbours from the edge.
    if (reach === 1) place = Math.min(Math.max(place, 0), length - 1)
    for (let i = Math.floor(place) - reach + 1; i <= Math.floor(place) + reach; i++) {
      row[Math.min(Math.max(i, 0), length - 1)]! += filter(i - place)
    }
    return row
  })
}

/** Means over the same windows as adaptive average pooling. */
function areaWeights(length: number, target: number): number[][] {
  return Array.from({ length: target }, (_, o) => {
    const start = Math.floor((o * length) / target)
    const end = Math.ceil(((o + 1) * length) / target)
    return Array.from({ length }, (_, i) => (i >= start && i < end ? 1 / (end - start) : 0))
  })
}
