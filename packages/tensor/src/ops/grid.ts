// Sampling of images at any places (Jaderberg et al. 2015, "Spatial transformer networks"): weighted sums of elements that
// are gathered by computed indices. Linear in the image, and differentiable in the places through the weights.
// Not here: resizing on a regular grid (resize.ts).
import { formatShape, hostArray, lookUp, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { makeHostLeaf, noGrad, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import { gatherAlong } from './indexed.ts'

/** Settings of {@link gridSample}. */
export interface GridSampleOptions {
  /** Default bilinear, which is trilinear for volumes. `bicubic` is for images only. */
  mode?: 'bilinear' | 'nearest' | 'bicubic'
  /** What lies outside of the image: zeros (default), its border, or its reflection. */
  paddingMode?: 'zeros' | 'border' | 'reflection'
  /** Whether -1 and 1 mean the centres of the corner pixels, instead of the image's edges. Default false. */
  alignCorners?: boolean
}

/** One element that takes part along one dimension: where it is, and how much it counts (null: 1). */
interface Tap {
  /** A whole number in the type of the grid; may lie outside. */
  readonly index: Tensor
  readonly weight: Tensor | null
}

/** Brings places or whole positions inside; only `zeros` leaves them where they are. */
type Inside = (place: Tensor, size: number, alignCorners: boolean) => Tensor

const paddings: Readonly<Record<string, Inside>> = {
  zeros: (place) => place,
  border: (place, size) => place.clamp({ min: 0, max: size - 1 }),
  reflection: (place, size, alignCorners) => {
    const low = alignCorners ? 0 : -0.5
    const span = alignCorners ? size - 1 : size
    if (span === 0) return place.mul(0)
    const turns = place
      .sub(low)
      .abs()
      .remainder(2 * span)
    const folded = turns
      .sub(span)
      .abs()
      .neg()
      .add(span + low)
    return folded.clamp({ min: 0, max: size - 1 })
  },
}

type Taps = (place: Tensor, inside: (place: Tensor) => Tensor) => Tap[]

const tapsOf: Readonly<Record<string, Taps>> = {
  bilinear: (place, inside) => {
    const at = inside(place)
    const low = noGrad(() => at.floor())
    const share = at.sub(low)
    return [
      { index: low, weight: share.neg().add(1) },
      { index: noGrad(() => low.add(1)), weight: share },
    ]
  },
  nearest: (place, inside) => [{ index: noGrad(() => inside(place).round()), weight: null }],
  bicubic: (place, inside) => {
    const low = noGrad(() => place.floor())
    const share = place.sub(low)
    return [-1, 0, 1, 2].map((step) => ({
      index: noGrad(() => inside(low.add(step)).round()),
      weight: cubicWeight(share, step),
    }))
  },
}

/** Keys 1981 with a = -0.75: the weight of the element `step` after the one before the place. */
function cubicWeight(share: Tensor, step: number): Tensor {
  const a = -0.75
  const distance = step <= 0 ? share.sub(step) : share.neg().add(step)
  const near = distance
    .mul(a + 2)
    .sub(a + 3)
    .mul(distance)
    .mul(distance)
    .add(1)
  const far = distance
    .mul(a)
    .sub(5 * a)
    .mul(distance)
    .add(8 * a)
    .mul(distance)
    .sub(4 * a)
  return step === 0 || step === 1 ? near : far
}

/**
 * Elements of images x [N, C, H, W] (or volumes [N, C, D, H, W]) at the places of a grid [N, ..., 2] (or 3), whose last axis
 * holds x, y (and z) from -1 to 1 across the image: [N, C, ...].
 * @throws ShapeError, ValueError
 */
export const gridSample: OpFunction<
  (x: TensorLike, grid: TensorLike, options?: GridSampleOptions) => Tensor
> = defineFunction({
  name: 'gridSample',
  call: (value: TensorLike, places: TensorLike, options: GridSampleOptions = {}) => {
    const x = floating(toTensor('gridSample', value))
    const grid = toTensor('gridSample', places).to(x.dtype)
    const spatial = x.rank - 2
    checkGrid(x.shape, grid.shape, spatial)
    const mode = options.mode ?? 'bilinear'
    const paddingMode = options.paddingMode ?? 'zeros'
    const taps = lookUp('mode of gridSample', mode, tapsOf)
    const padding = lookUp('padding of gridSample', paddingMode, paddings)
    if (mode === 'bicubic' && spatial !== 2) {
      throw new ValueError(`gridSample: bicubic is for images [N, C, H, W]; got x ${formatShape(x.shape)}`)
    }
    const alignCorners = options.alignCorners === true
    const sizes = x.shape.slice(2)
    const perDim = sizes.map((size, d) => {
      // The grid counts x first, which is the last dimension.
      const unit = grid.select(-1, spatial - 1 - d).reshape([x.shape[0]!, 1, -1])
      const place = alignCorners
        ? unit.add(1).mul((size - 1) / 2)
        : unit
            .add(1)
            .mul(size / 2)
            .sub(0.5)
      return taps(place, (at) => padding(at, size, alignCorners))
    })
    const flat = x.reshape([x.shape[0]!, x.shape[1]!, -1])
    const sampled = combinations(perDim).map((chosen) => weighted(flat, chosen, sizes))
    const result = sampled.reduce((sum, part) => sum.add(part))
    return result.reshape([x.shape[0]!, x.shape[1]!, ...grid.shape.slice(1, -1)])
  },
  samples: (make) => [
    [make.real([1, 2, 4, 5]), make.values([0.3, -0.72, -0.55, 0.41, 1.35, 0.13, -0.21, -1.42], [1, 2, 2, 2])],
    [
      make.real([2, 1, 3, 4]),
      make.values([0.3, -0.72, -0.55, 0.41, 1.35, 0.13, -0.21, -1.42], [2, 1, 2, 2]),
      { paddingMode: 'reflection' },
    ],
    [
      make.real([1, 1, 3, 4]),
      make.values([0.33, -0.72, -0.55, 0.41], [1, 1, 2, 2]),
      { paddingMode: 'border', alignCorners: true, mode: 'bicubic' },
    ],
    [make.real([1, 2, 3, 4]), make.values([0.33, -0.72, -0.55, 0.41], [1, 1, 2, 2]), { mode: 'nearest' }],
    [make.real([1, 1, 2, 3, 2]), make.values([0.33, -0.72, 0.21, -0.55, 0.41, 0.13], [1, 1, 1, 2, 3])],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 2, 3, 4]), make.real([1, 2, 2, 3])],
      error: 'ShapeError',
      message: /gridSample: x \[1, 2, 3, 4\] needs a grid \[1, 2 sizes, 2\]; got \[1, 2, 2, 3\]/,
    },
    {
      args: (make) => [make.real([1, 2, 3, 4]), make.real([1, 2, 2, 2]), { mode: 'cubic' }],
      error: 'ValueError',
      message: /unknown mode of gridSample 'cubic'/,
    },
  ],
})

function checkGrid(x: Shape, grid: Shape, spatial: number): void {
  if (spatial !== 2 && spatial !== 3) {
    throw new ShapeError(`gridSample: x is [N, C, H, W] or [N, C, D, H, W]; got ${formatShape(x)}`)
  }
  if (grid.length === x.length && grid[0] === x[0] && grid[grid.length - 1] === spatial) return
  throw new ShapeError(
    `gridSample: x ${formatShape(x)} needs a grid [${x[0]}, ${spatial} sizes, ${spatial}]; got ${formatShape(grid)}`,
  )
}

/** Every choice of one tap for each dimension. */
function combinations(perDim: readonly (readonly Tap[])[]): Tap[][] {
  return perDim.reduce<Tap[][]>(
    (all, taps) => all.flatMap((chosen) => taps.map((tap) => [...chosen, tap])),
    [[]],
  )
}

/** The elements [N, C, P] of x [N, C, S] that one choice of taps means, times their weights; 0 outside. */
function weighted(x: Tensor, taps: readonly Tap[], sizes: Shape): Tensor {
  const { index, inside } = noGrad(() => {
    const clamped = taps.map((tap, d) => tap.index.clamp({ min: 0, max: sizes[d]! - 1 }))
    const flat = clamped.map((at) => at.to('int32')).reduce((sum, at, d) => sum.mul(sizes[d]!).add(at))
    const within = clamped.map((at, d) => at.eq(taps[d]!.index)).reduce((all, one) => all.logicalAnd(one))
    return { index: flat, inside: within }
  })
  const [batch, channels] = x.shape as readonly [number, number]
  const elements = gatherAlong(x, index.expand([batch, channels, index.shape[2]!]), 2, 'gridSample')
  const weights = taps.flatMap((tap) => (tap.weight === null ? [] : [tap.weight]))
  const product = weights.reduce<Tensor>((scaled, weight) => scaled.mul(weight), elements)
  return inside.where(product, 0)
}

/**
 * The grid that {@link gridSample} needs for an affine map: theta [N, 2, 3] with `size` [N, C, H, W] gives [N, H, W, 2], and
 * theta [N, 3, 4] with [N, C, D, H, W] gives [N, D, H, W, 3].
 * @throws ShapeError
 */
export const affineGrid: OpFunction<
  (theta: TensorLike, size: Shape, options?: { alignCorners?: boolean }) => Tensor
> = defineFunction({
  name: 'affineGrid',
  call: (value: TensorLike, size: Shape, options: { alignCorners?: boolean } = {}) => {
    const theta = floating(toTensor('affineGrid', value))
    const sizes = size.slice(2)
    const spatial = sizes.length
    const fits =
      (spatial === 2 || spatial === 3) &&
      formatShape(theta.shape) === formatShape([size[0]!, spatial, spatial + 1])
    if (!fits) {
      throw new ShapeError(
        `affineGrid: theta [N, 2, 3] goes with size [N, C, H, W], and [N, 3, 4] with [N, C, D, H, W]; got ` +
          `${formatShape(theta.shape)} with ${formatShape(size)}`,
      )
    }
    const count = sizes.reduce((product, length) => product * length, 1)
    const base = new Float64Array(count * (spatial + 1)).fill(1)
    for (let i = 0; i < count; i++) {
      let rest = i
      for (let d = spatial - 1; d >= 0; d--) {
        const unit = unitPlace(rest % sizes[d]!, sizes[d]!, options.alignCorners === true)
        base[i * (spatial + 1) + spatial - 1 - d] = unit
        rest = Math.floor(rest / sizes[d]!)
      }
    }
    const places = makeHostLeaf(hostArray(theta.dtype, base), [count, spatial + 1], theta.dtype)
    return places.matmul(theta.transpose(1, 2)).reshape([size[0]!, ...sizes, spatial])
  },
  samples: (make) => [
    [make.real([2, 2, 3]), [2, 1, 3, 4]],
    [make.real([1, 3, 4]), [1, 1, 2, 3, 2], { alignCorners: true }],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 2, 2]), [1, 1, 3, 4]],
      error: 'ShapeError',
      message: /affineGrid: theta \[N, 2, 3\] goes with size/,
    },
  ],
})

/** Where a pixel lies between -1 and 1. */
function unitPlace(index: number, size: number, alignCorners: boolean): number {
  if (!alignCorners) return (2 * index + 1) / size - 1
  return size === 1 ? 0 : (2 * index) / (size - 1) - 1
}
