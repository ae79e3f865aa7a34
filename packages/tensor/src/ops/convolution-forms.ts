// What the three convolution ops become when a plan is built: contractions over sliding windows, which are views, so that
// image patches are never copied, with padding as a copy made before; or, for many 3 x 3 kernels, contractions of transformed
// tiles (winograd.ts). Which way is taken depends on sizes alone. Read before: convolution.ts.
import { numberTensor } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { contract, multiplyAndSum, type Labels } from './contract.ts'
import { assemble, reverse, slice, surround } from './pieces.ts'
import { foldWindows, lastDims, resizeEnd, spanOf } from './spatial.ts'
import { tilesOf, winogradInput, winogradOutput, winogradWeight } from './winograd.ts'

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
const image = 0
const group = 1
const channelIn = 2
const channelOut = 3

interface SpatialLabels {
  readonly positions: Labels
  readonly taps: Labels
}

function spatialLabels(spatial: number): SpatialLabels {
  return {
    positions: Array.from({ length: spatial }, (_, i) => 4 + i),
    taps: Array.from({ length: spatial }, (_, i) => 4 + spatial + i),
  }
}

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

/**
 * Input positions that the same taps reach: those with equal remainder by the stride. Within a phase the gradient is a
 * convolution of stride 1 of the output's gradient with those taps in reverse order.
 */
interface Phase {
  /** First input position of the phase; the next is one stride further. */
  readonly first: number
  readonly length: number
  /** Taps `first`, `first + step`, ... */
  readonly taps: { readonly first: number; readonly step: number; readonly count: number }
  /** Where in the output's gradient the last tap of the first position lies (may be outside), and how far the taps are apart. */
  readonly start: number
  readonly dilation: number
}

function phasesOf({ sizes, kernel, stride, dilation, before }: ConvolutionGeometry, dim: number): Phase[] {
  const step = stride[dim]!
  const spread = dilation[dim]!
  const phases: Phase[] = []
  for (let remainder = 0; remainder < step; remainder++) {
    const first = modulo(remainder - before[dim]!, step)
    if (first >= sizes[dim]!) continue
    const length = Math.ceil((sizes[dim]! - first) / step)
    // A tap k reaches these positions when k * dilation has this remainder, too.
    const reaching: number[] = []
    for (let tap = 0; tap < kernel[dim]!; tap++)
      if (modulo(tap * spread - remainder, step) === 0) reaching.push(tap)
    const firstTap = reaching[0] ?? 0
    const tapStep = reaching.length > 1 ? reaching[1]! - firstTap : 1
    const tapDilation = reaching.length > 1 ? (tapStep * spread) / step : 1
    const nearest = (first + before[dim]! - firstTap * spread) / step
    phases.push({
      first,
      length,
      taps: { first: firstTap, step: tapStep, count: reaching.length },
      start: nearest - Math.max(0, reaching.length - 1) * tapDilation,
      dilation: tapDilation,
    })
  }
  return phases
}

function product(list: readonly number[]): number {
  return list.reduce((total, n) => total * n, 1)
}

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b
}

function byPhases(
  y: Tensor,
  w: Tensor,
  geometry: ConvolutionGeometry,
  phases: readonly (readonly Phase[])[],
): Tensor {
  const { sizes, count, stride } = geometry
  const shape = [y.shape[0]!, w.shape[1]! * geometry.groups, ...sizes]
  // One copy with room for the windows of all phases.
  const reached = phases.map((list) => list.filter((phase) => phase.taps.count > 0))
  const before = reached.map((list) => Math.max(0, ...list.map((phase) => -phase.start)))
  const after = reached.map((list, dim) =>
    Math.max(0, ...list.map((phase) => lastPosition(phase) + 1 - count[dim]!)),
  )
  const padded = surround(y, [0, 0, ...before], [0, 0, ...after], 0)
  const parts: Tensor[] = []
  const starts: number[][] = []
  // Positions that no tap reaches stay 0.
  for (const combination of combinations(reached)) {
    parts.push(onePhase(padded, w, geometry.groups, combination, before))
    starts.push([0, 0, ...combination.map((phase) => phase.first)])
  }
  if (parts.length === 0) return numberTensor(0, y.dtype).expand(shape)
  if (stride.every((step) => step === 1)) return parts[0]!
  return assemble(
    parts,
    starts,
    parts.map(() => [1, 1, ...stride]),
    shape,
    0,
  )
}

function onePhase(
  padded: Tensor,
  w: Tensor,
  groups: number,
  phases: readonly Phase[],
  before: readonly number[],
): Tensor {
  const { positions, taps } = spatialLabels(phases.length)
  const region = slice(
    padded,
    [0, 0, ...phases.map((phase, dim) => phase.start + before[dim]!)],
    padded.shape.map(() => 1),
    [...padded.shape.slice(0, 2), ...phases.map((phase) => lastPosition(phase) - phase.start + 1)],
  )
  const patches = windowsOf(
    region,
    groups,
    phases.map((phase) => phase.taps.count),
    phases.map(() => 1),
    phases.map((phase) => phase.dilation),
  )
  const reversed = slice(
    w,
    [0, 0, ...phases.map((phase) => phase.taps.first + (phase.taps.count - 1) * phase.taps.step)],
    [1, 1, ...phases.map((phase) => -phase.taps.step)],
    [...w.shape.slice(0, 2), ...phases.map((phase) => phase.taps.count)],
  )
  const sum = sumOver(
    groupWeights(reversed, groups),
    patches,
    [group, channelOut, channelIn, ...taps],
    [image, group, channelOut, ...positions, ...taps],
    [image, group, channelIn, ...positions],
    isDepthwise(w, groups),
  )
  return sum.reshape([padded.shape[0]!, w.shape[1]! * groups, ...phases.map((phase) => phase.length)])
}

/** Where in the output's gradient the first tap of the last position lies. */
function lastPosition(phase: Phase): number {
  return phase.start + (phase.taps.count - 1) * phase.dilation + phase.length - 1
}

function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((some) => list.map((item) => [...some, item])), [[]])
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

/** The input with padding before it, cut or padded to end where the last window ends. */
function fitInput(x: Tensor, geometry: ConvolutionGeometry): Tensor {
  const { before, sizes } = geometry
  const reach = reachOf(geometry)
  const after = reach.map((length, dim) => Math.max(0, length - before[dim]! - sizes[dim]!))
  return resizeEnd(surround(x, [0, 0, ...before], [0, 0, ...after], 0), reach)
}

/** From the start of the first window to the end of the last. */
function reachOf({ kernel, count, stride, dilation }: ConvolutionGeometry): number[] {
  return kernel.map((size, dim) => (count[dim]! - 1) * stride[dim]! + spanOf(size, dilation[dim]!))
}

/** [N, C, *sizes] -> [N, groups, C / groups, *positions, *taps]. */
function windowsOf(
  x: Tensor,
  groups: number,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor {
  return splitChannels(x.unfold(lastDims(x.rank, kernel.length), kernel, stride, dilation), groups)
}

/** [N, C, ...] -> [N, groups, C / groups, ...]. */
function splitChannels(x: Tensor, groups: number): Tensor {
  const [images, channels, ...rest] = x.shape
  return x.reshape([images!, groups, channels! / groups, ...rest])
}

/** [O, I, *kernel] -> [groups, O / groups, I, *kernel]. */
function groupWeights(w: Tensor, groups: number): Tensor {
  return w.reshape([groups, w.shape[0]! / groups, ...w.shape.slice(1)])
}

function isDepthwise(w: Tensor, groups: number): boolean {
  return groups > 1 && w.shape[1] === 1
}

/**
 * A contraction, unless each group has a single input channel: its products are then so small (one row of a few taps)
 * that a fused multiplication and sum is about ten times as fast.
 */
function sumOver(
  a: Tensor,
  b: Tensor,
  labelsA: Labels,
  labelsB: Labels,
  labelsC: Labels,
  depthwise: boolean,
): Tensor {
  return depthwise
    ? multiplyAndSum(a, b, labelsA, labelsB, labelsC)
    : contract(a, b, labelsA, labelsB, labelsC)
}
