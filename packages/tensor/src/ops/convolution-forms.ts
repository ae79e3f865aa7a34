// What the three convolution ops become when a plan is built: contractions over sliding windows, which are views, so that
// image patches are never copied, with padding as a copy made before; or, for many 3 x 3 kernels, contractions of transformed
// tiles (winograd.ts). Which way is taken depends on sizes alone. Read before: convolution.ts,
// convolution-parts.ts.
import type { Tensor } from '../tensor.ts'
import { contract } from './contract.ts'
import {
  channelIn,
  channelOut,
  fitInput,
  group,
  groupWeights,
  image,
  isDepthwise,
  product,
  reachOf,
  spatialLabels,
  splitChannels,
  sumOver,
  windowsOf,
  type ConvolutionGeometry,
} from './convolution-parts.ts'
import { byPhases, phasesOf, type Phase } from './convolution-phases.ts'
import { reverse, slice } from './pieces.ts'
import { foldWindows, lastDims, resizeEnd } from './spatial.ts'
import { tilesOf, winogradInput, winogradOutput, winogradWeight } from './winograd.ts'

/** The output: windows of the padded input times weights. */
export function outputForm(x: Tensor, w: Tensor, geometry: ConvolutionGeometry): Tensor {
  const { groups, kernel, stride, dilation, before, count } = geometry
  if (tilesPay(x, geometry, count, w.shape[0]!, w.shape[1]!)) return winogradOutput(x, w, before, count)
  const { positions, taps } = spatialLabels(kernel.length)
  if (isLinear(x, geometry)) {
    const sum = contract(
      pairWeights(w, geometry),
      splitChannels(x, groups),
      [group, channelOut, channelIn, ...positions, ...taps],
      [image, group, channelIn, ...taps],
      [image, group, channelOut, ...positions],
    )
    return sum.reshape([x.shape[0]!, w.shape[0]!, ...count])
  }
  const patches = windowsOf(fitInput(x, geometry), groups, kernel, stride, dilation)
  const weights = groupWeights(w, groups)
  const sum = sumOver(
    weights,
    patches,
    [group, channelOut, channelIn, ...taps],
    [image, group, channelIn, ...positions, ...taps],
    [image, group, channelOut, ...positions],
    isDepthwise(w, groups),
  )
  return sum.reshape([x.shape[0]!, w.shape[0]!, ...count])
}

/**
 * Whether every output is made of every input, by a weight of its own, and few images share the weights. That is a linear
 * layer: no zeros of a padding are multiplied.
 */
function isLinear(
  x: Tensor,
  { sizes, kernel, count, stride, dilation, before, groups }: ConvolutionGeometry,
): boolean {
  if (groups > 1 || dilation.some((step) => step !== 1) || x.shape[0]! > fewImages) return false
  return sizes.every(
    (size, dim) => before[dim]! >= (count[dim]! - 1) * stride[dim]! && size - 1 + before[dim]! < kernel[dim]!,
  )
}

const fewImages = 8

/** [O, C, *kernel] -> [1, O, C, *count, *sizes]: the weight of each pair of an output and an input. */
function pairWeights(w: Tensor, { sizes, count, stride, before, groups }: ConvolutionGeometry): Tensor {
  const spatial = sizes.length
  const lead = w.shape.slice(0, 2)
  // The output that sees an input by the first of its weights is the last one: outputs are counted backwards.
  const reached = slice(
    w,
    [0, 0, ...before.map((zeros, dim) => zeros - (count[dim]! - 1) * stride[dim]!)],
    w.shape.map(() => 1),
    [...lead, ...sizes.map((size, dim) => (count[dim]! - 1) * stride[dim]! + size)],
  )
  const pairs = reached.unfold(
    lastDims(2 + spatial, spatial),
    sizes,
    stride,
    sizes.map(() => 1),
  )
  return groupWeights(reverse(pairs, lastDims(2 + spatial, spatial)), groups)
}

/** The gradient of the weights: windows of the padded input times the gradient of the output. */
export function weightForm(x: Tensor, y: Tensor, geometry: ConvolutionGeometry): Tensor {
  const { groups, kernel, stride, dilation, before, count } = geometry
  if (tilesPay(x, geometry, count, y.shape[1]!, x.shape[1]!)) return winogradWeight(x, y, before)
  const { positions, taps } = spatialLabels(kernel.length)
  const patches = windowsOf(fitInput(x, geometry), groups, kernel, stride, dilation)
  const sum = sumOver(
    splitChannels(y, groups),
    patches,
    [image, group, channelOut, ...positions],
    [image, group, channelIn, ...positions, ...taps],
    [group, channelOut, channelIn, ...taps],
    groups > 1 && x.shape[1] === groups,
  )
  return sum.reshape([y.shape[1]!, x.shape[1]! / groups, ...kernel])
}

/** To transform an element of a tile, or of a kernel, takes as long as this many multiplications. */
const moveTransformed = 10

/**
 * Whether the way by transformed tiles (winograd.ts) is open and shorter, for `count` results per image. The costs are per
 * pair of an input and an output channel.
 */
function tilesPay(
  { shape, dtype }: Tensor,
  { kernel, stride, dilation, before, groups }: ConvolutionGeometry,
  count: readonly number[],
  outputs: number,
  inputs: number,
): boolean {
  const open =
    dtype === 'float32' &&
    groups === 1 &&
    kernel.length === 2 &&
    kernel.every((size) => size === 3) &&
    [...stride, ...dilation].every((step) => step === 1) &&
    before.every((zeros) => zeros <= 2)
  if (!open) return false
  const images = shape[0]!
  const tiles = images * product(tilesOf(count))
  const moved = 16 * (tiles / outputs + tiles / inputs + 1)
  return 16 * tiles + moveTransformed * moved < 9 * images * product(count)
}

/** The gradient of the input: by phases or by columns, whichever takes fewer multiplications and moves less. */
export function inputForm(y: Tensor, w: Tensor, geometry: ConvolutionGeometry): Tensor {
  const { sizes, before } = geometry
  if (tilesPay(y, geometry, sizes, w.shape[0]!, w.shape[1]!)) return winogradInput(y, w, before, sizes)
  if (isLinear(y, geometry)) {
    const { groups } = geometry
    const { positions, taps } = spatialLabels(sizes.length)
    const sum = contract(
      pairWeights(w, geometry),
      splitChannels(y, groups),
      [group, channelOut, channelIn, ...positions, ...taps],
      [image, group, channelOut, ...positions],
      [image, group, channelIn, ...taps],
    )
    return sum.reshape([y.shape[0]!, w.shape[1]! * groups, ...sizes])
  }
  const phases = sizes.map((_, dim) => phasesOf(geometry, dim))
  return phasesAreCheaper(phases, geometry, y.shape[0]!, y.shape[1]! / geometry.groups)
    ? byPhases(y, w, geometry, phases)
    : byColumns(y, w, geometry)
}

/** More contractions than this cost more than the zeros they save. */
const mostPhases = 16

/** Phases read weights across their rows, once for all images: to read one takes as long as this many multiplications. */
const readAcross = 64

/** Columns are written, spread and added up: to move an element takes as long as this many multiplications. */
const moveColumn = 40

/** Both costs are per pair of an input and an output channel. */
function phasesAreCheaper(
  phases: readonly (readonly Phase[])[],
  { kernel, count }: ConvolutionGeometry,
  images: number,
  outputs: number,
): boolean {
  if (product(phases.map((list) => list.length)) > mostPhases) return false
  const multiplied = phases.map((list) =>
    list.reduce((sum, { length, taps }) => sum + length * taps.count, 0),
  )
  const ofPhases = images * product(multiplied) + readAcross * product(kernel)
  const ofColumns = images * product(kernel) * product(count) * (1 + moveColumn / outputs)
  return ofPhases <= ofColumns
}

/** The gradients of all patches first, which are then added up where they lie. */
function byColumns(y: Tensor, w: Tensor, geometry: ConvolutionGeometry): Tensor {
  const { groups, sizes, kernel, count, stride, dilation, before } = geometry
  const { positions, taps } = spatialLabels(kernel.length)
  // Positions innermost: so the product writes whole rows.
  const columns = sumOver(
    groupWeights(w, groups),
    splitChannels(y, groups),
    [group, channelOut, channelIn, ...taps],
    [image, group, channelOut, ...positions],
    [group, channelIn, ...taps, image, ...positions],
    isDepthwise(w, groups),
  )
  const channels = w.shape[1]! * groups
  const reach = reachOf(geometry)
  const patches = columns
    .reshape([channels, ...kernel, y.shape[0]!, ...count])
    .permute([
      1 + kernel.length,
      0,
      ...kernel.map((_, i) => 2 + kernel.length + i),
      ...kernel.map((_, i) => 1 + i),
    ])
  const padded = foldWindows(patches, reach, stride, dilation)
  // Without what lay in the padding before, and cut or filled at the end.
  const shape = [...padded.shape.slice(0, 2), ...reach.map((length, dim) => length - before[dim]!)]
  const inside = slice(
    padded,
    [0, 0, ...before],
    shape.map(() => 1),
    shape,
  )
  return resizeEnd(inside, sizes)
}
