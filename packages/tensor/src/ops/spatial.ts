// What convolutions and poolings share: arguments given per spatial dimension, and windows over the last dimensions.
import { ValueError } from '@nabla/engine'
import type { Tensor } from '../tensor.ts'
import { slice, surround } from './pieces.ts'

/** One number for all spatial dimensions, or one each. */
export type PerSpatial = number | readonly number[]

/** A list of one whole number per spatial dimension. @throws ValueError */
export function perSpatial(
  op: string,
  what: string,
  given: PerSpatial,
  spatial: number,
  least: number,
): number[] {
  const list = typeof given === 'number' ? Array.from({ length: spatial }, () => given) : given
  const valid =
    Array.isArray(list) && list.length === spatial && list.every((n) => Number.isInteger(n) && n >= least)
  if (valid) return [...list]
  const shown = Array.isArray(list) ? `[${list.join(', ')}]` : String(given)
  const expected = spatial === 1 ? 'a whole number' : `a whole number, or ${spatial} of them,`
  throw new ValueError(`${op}: ${what} must be ${expected} >= ${least}; got ${shown}`)
}

/** The last `spatial` dimensions of a tensor of this rank. */
export function lastDims(rank: number, spatial: number): number[] {
  return Array.from({ length: spatial }, (_, i) => rank - spatial + i)
}

/** Positions from the first tap of a window to its last, inclusive. */
export function spanOf(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1
}

/**
 * Adds windows [..., *counts, *kernel] up over a value [..., *lengths]. Windows that tile it, as those of most poolings do,
 * only have to be put in order.
 */
export function foldWindows(
  windows: Tensor,
  lengths: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor {
  const spatial = lengths.length
  const leading = windows.rank - 2 * spatial
  const counts = windows.shape.slice(leading, leading + spatial)
  const kernel = windows.shape.slice(leading + spatial)
  // A single window tiles whatever its stride.
  const tiles = kernel.every((size, i) => dilation[i] === 1 && (stride[i] === size || counts[i] === 1))
  if (!tiles) return windows.fold(lastDims(leading + spatial, spatial), lengths, stride, dilation)
  const order = windows.shape.slice(0, leading).map((_, dim) => dim)
  for (let i = 0; i < spatial; i++) order.push(leading + i, leading + spatial + i)
  const lead = windows.shape.slice(0, leading)
  const tiled = windows.permute(order).reshape([...lead, ...counts.map((count, i) => count * kernel[i]!)])
  return resizeEnd(tiled, lengths)
}

/** Cut, or filled with zeros, at the end of the last dimensions. */
export function resizeEnd(x: Tensor, lengths: readonly number[]): Tensor {
  const leading = x.rank - lengths.length
  const target = [...x.shape.slice(0, leading), ...lengths]
  const kept = target.map((length, dim) => Math.min(length, x.shape[dim]!))
  const zeros = target.map(() => 0)
  const cut = kept.every((length, dim) => length === x.shape[dim])
    ? x
    : slice(
        x,
        zeros,
        x.shape.map(() => 1),
        kept,
      )
  return surround(
    cut,
    zeros,
    target.map((length, dim) => length - kept[dim]!),
    0,
  )
}
