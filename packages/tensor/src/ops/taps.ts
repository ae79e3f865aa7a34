// Windows taken apart by their taps: the elements at one place of all windows are a slice of the input, and what windows give
// back is added up by phases, the input positions with equal remainders by the stride, each of which is reached by the
// same taps. So a pooling is elementwise work on slices, without sums over a few elements, and the way back reads each
// element once. Not public. Read next: pooling.ts.
import type { Tensor } from '../tensor.ts'
import { assemble, combinations, slice, surround } from './pieces.ts'

/** Windows over the last dimensions, one number per dimension. */
export interface Windows {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
}

/** More slices than this make expressions that take long to compile. */
const mostTaps = 32

/** More phases than this are more kernels than they are worth. */
const mostPhases = 16

/** All places of a window, row-major. */
export function tapsOf({ kernel }: Windows): number[][] {
  return combinations(kernel.map((size) => Array.from({ length: size }, (_, tap) => tap)))
}

/** Whether windows have few enough taps to be taken apart. */
export function haveFewTaps({ kernel }: Windows): boolean {
  return kernel.reduce((product, size) => product * size, 1) <= mostTaps
}

/** The elements at one place of all windows: x [..., *lengths] -> [..., *counts]. */
export function sliceAt(
  x: Tensor,
  { stride, dilation }: Windows,
  tap: readonly number[],
  counts: readonly number[],
): Tensor {
  const leading = x.rank - counts.length
  const lead = x.shape.slice(0, leading)
  return slice(
    x,
    [...lead.map(() => 0), ...tap.map((place, dim) => place * dilation[dim]!)],
    [...lead.map(() => 1), ...stride],
    [...lead, ...counts],
  )
}

/** The input positions `first`, `first + stride`, ... and by how many windows each tap that reaches them is behind. */
interface Phase {
  readonly first: number
  readonly length: number
  readonly taps: readonly { readonly tap: number; readonly shift: number }[]
}

function phasesOf(length: number, size: number, stride: number, dilation: number): Phase[] {
  return Array.from({ length: Math.min(stride, length) }, (_, first) => ({
    first,
    length: Math.ceil((length - first) / stride),
    taps: Array.from({ length: size }, (__, tap) => tap)
      .filter((tap) => (tap * dilation - first) % stride === 0)
      .map((tap) => ({ tap, shift: (tap * dilation - first) / stride })),
  }))
}

/**
 * Adds up what windows give to the elements they hold: a value [..., *lengths]. Null where that takes too many pieces.
 * @param ofTap what the windows give at one place, [..., *counts] with the given margins of zeros
 */
export function addTaps(
  windows: Windows,
  counts: readonly number[],
  lengths: readonly number[],
  ofTap: (index: number, withMargins: (x: Tensor, fill: number) => Tensor) => Tensor,
): Tensor | null {
  const { kernel, stride, dilation } = windows
  const phases = lengths.map((length, dim) => phasesOf(length, kernel[dim]!, stride[dim]!, dilation[dim]!))
  const number = phases.reduce((product, list) => product * list.length, 1)
  if (number > mostPhases || !haveFewTaps(windows)) return null
  const shifts = phases.map((list) => list.flatMap(({ taps }) => taps.map(({ shift }) => shift)))
  const before = shifts.map((list) => Math.max(0, ...list))
  const after = phases.map((list, dim) =>
    Math.max(
      0,
      ...list.flatMap(({ length, taps }) => taps.map(({ shift }) => length - shift - counts[dim]!)),
    ),
  )
  const withMargins = (x: Tensor, fill: number): Tensor => {
    const lead = x.shape.slice(0, x.rank - counts.length).map(() => 0)
    return surround(x, [...lead, ...before], [...lead, ...after], fill)
  }
  const given: (Tensor | undefined)[] = []
  const parts: Tensor[] = []
  const starts: number[][] = []
  let leading: readonly number[] = []
  for (const combination of combinations(phases)) {
    let sum: Tensor | null = null
    for (const reached of combinations(combination.map(({ taps }) => taps))) {
      const index = reached.reduce((flat, { tap }, dim) => flat * kernel[dim]! + tap, 0)
      const tap = (given[index] ??= ofTap(index, withMargins))
      leading = tap.shape.slice(0, tap.rank - counts.length)
      const part = slice(
        tap,
        [...leading.map(() => 0), ...reached.map(({ shift }, dim) => before[dim]! - shift)],
        tap.shape.map(() => 1),
        [...leading, ...combination.map(({ length }) => length)],
      )
      sum = sum === null ? part : sum.add(part)
    }
    // Elements that no window holds stay 0.
    if (sum === null) continue
    parts.push(sum)
    starts.push([...leading.map(() => 0), ...combination.map(({ first }) => first)])
  }
  const steps = [...leading.map(() => 1), ...stride]
  return assemble(
    parts,
    starts,
    parts.map(() => steps),
    [...leading, ...lengths],
    0,
  )
}
