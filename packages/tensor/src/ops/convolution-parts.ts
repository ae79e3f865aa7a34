// What all forms of a convolution are made of: its sizes, labels of the axes that take part, the padded input, its windows,
// and sums over them. Read next: convolution-forms.ts.
import type { Tensor } from '../tensor.ts'
import { addProducts, contract, multiplyAndSum, type Labels } from './contract.ts'
import { surround } from './pieces.ts'
import { lastDims, resizeEnd, spanOf } from './spatial.ts'

/** Sizes and steps of a convolution. One number per spatial dimension, where not said otherwise. */
export interface ConvolutionGeometry {
  /** Sizes of the input. */
  readonly sizes: readonly number[]
  /** Sizes of the kernel. */
  readonly kernel: readonly number[]
  /** Sizes of the output. */
  readonly count: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  /** Zeros before the input. As many follow it as the last window needs. */
  readonly before: readonly number[]
  /** Groups of channels, one number. */
  readonly groups: number
}

// Labels of the axes that take part: images, groups, channels of a group on either side, positions and taps.
export const image: number = 0
export const group: number = 1
export const channelIn: number = 2
export const channelOut: number = 3

export interface SpatialLabels {
  readonly positions: Labels
  readonly taps: Labels
}

export function spatialLabels(spatial: number): SpatialLabels {
  return {
    positions: Array.from({ length: spatial }, (_, i) => 4 + i),
    taps: Array.from({ length: spatial }, (_, i) => 4 + spatial + i),
  }
}

/** The input with padding before it, cut or padded to end where the last window ends. */
export function fitInput(x: Tensor, geometry: ConvolutionGeometry): Tensor {
  const { before, sizes } = geometry
  const reach = reachOf(geometry)
  const after = reach.map((length, dim) => Math.max(0, length - before[dim]! - sizes[dim]!))
  return resizeEnd(surround(x, [0, 0, ...before], [0, 0, ...after], 0), reach)
}

/** From the start of the first window to the end of the last. */
export function reachOf({ kernel, count, stride, dilation }: ConvolutionGeometry): number[] {
  return kernel.map((size, dim) => (count[dim]! - 1) * stride[dim]! + spanOf(size, dilation[dim]!))
}

/** [N, C, *sizes] -> [N, groups, C / groups, *positions, *taps]. */
export function windowsOf(
  x: Tensor,
  groups: number,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor {
  return splitChannels(x.unfold(lastDims(x.rank, kernel.length), kernel, stride, dilation), groups)
}

/** [N, C, ...] -> [N, groups, C / groups, ...]. */
export function splitChannels(x: Tensor, groups: number): Tensor {
  const [images, channels, ...rest] = x.shape
  return x.reshape([images!, groups, channels! / groups, ...rest])
}

/** [O, I, *kernel] -> [groups, O / groups, I, *kernel]. */
export function groupWeights(w: Tensor, groups: number): Tensor {
  return w.reshape([groups, w.shape[0]! / groups, ...w.shape.slice(1)])
}

export function isDepthwise(w: Tensor, groups: number): boolean {
  return groups > 1 && w.shape[1] === 1
}

/** Sums of at most this many products are written out: twice as fast as a loop over the taps of each output. */
const mostTerms = 32

/**
 * A contraction, unless each group has a single input channel: its products are then so small (one row of a few taps)
 * that fused multiplications and sums are ten or twenty times as fast.
 */
export function sumOver(
  a: Tensor,
  b: Tensor,
  labelsA: Labels,
  labelsB: Labels,
  labelsC: Labels,
  depthwise: boolean,
): Tensor {
  if (!depthwise) return contract(a, b, labelsA, labelsB, labelsC)
  const terms = product(a.shape.filter((_, axis) => !labelsC.includes(labelsA[axis]!)))
  return (terms <= mostTerms ? addProducts : multiplyAndSum)(a, b, labelsA, labelsB, labelsC)
}

export function product(list: readonly number[]): number {
  return list.reduce((total, n) => total * n, 1)
}
