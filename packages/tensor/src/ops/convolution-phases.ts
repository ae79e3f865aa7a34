// The gradient of a convolution's input by phases: input positions with equal remainders by the stride are reached by the
// same taps, and over them the gradient is a convolution of stride 1 of the output's gradient with those taps in reverse
// order. Read before: convolution-parts.ts. Read next: convolution-forms.ts, which decides when this is the way.
import { numberTensor } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import {
  channelIn,
  channelOut,
  group,
  groupWeights,
  image,
  isDepthwise,
  spatialLabels,
  sumOver,
  windowsOf,
  type ConvolutionGeometry,
} from './convolution-parts.ts'
import { assemble, combinations, slice, surround } from './pieces.ts'

/**
 * Input positions that the same taps reach: those with equal remainder by the stride. Within a phase the gradient is a
 * convolution of stride 1 of the output's gradient with those taps in reverse order.
 */
export interface Phase {
  /** First input position of the phase; the next is one stride further. */
  readonly first: number
  readonly length: number
  /** Taps `first`, `first + step`, ... */
  readonly taps: { readonly first: number; readonly step: number; readonly count: number }
  /** Where in the output's gradient the last tap of the first position lies (may be outside), and how far the taps are apart. */
  readonly start: number
  readonly dilation: number
}

export function phasesOf(
  { sizes, kernel, stride, dilation, before }: ConvolutionGeometry,
  dim: number,
): Phase[] {
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

export function byPhases(
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

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b
}
