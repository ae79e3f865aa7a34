// Padding: elements around a tensor, constant or taken from the tensor itself.
import { formatShape, lookUp, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { concatenate, reverse, slice, surround } from './pieces.ts'

/** How {@link pad} fills. */
export interface PadOptions {
  /**
   * `constant` (default): with `value`. `reflect`: mirrored, without the edge. `replicate`: the edge repeated. `circular`:
   * from the other end.
   */
  mode?: 'constant' | 'reflect' | 'replicate' | 'circular'
  /** Default 0. */
  value?: number
}

type Side = (x: Tensor, dim: number, count: number, before: boolean) => Tensor

// What stands before or after a dimension, by mode.
const sides: Readonly<Record<'reflect' | 'replicate' | 'circular', Side>> = {
  reflect: (x, dim, count, before) =>
    reverse(x.narrow(dim, before ? 1 : x.shape[dim]! - 1 - count, count), [dim]),
  replicate: (x, dim, count, before) =>
    x
      .narrow(dim, before ? 0 : x.shape[dim]! - 1, 1)
      .expand(x.shape.map((size, i) => (i === dim ? count : size))),
  circular: (x, dim, count, before) => x.narrow(dim, before ? x.shape[dim]! - count : 0, count),
}
const modes = { constant: null, ...sides }

/**
 * Elements around a tensor. `padding` holds pairs (before, after), the last dimension first, as in PyTorch: `[1, 2]` pads
 * the last dimension, `[1, 1, 2, 2]` the last by 1 and the one before by 2. Negative numbers cut off (constant mode).
 */
export const pad: OpFunction<(x: TensorLike, padding: readonly number[], options?: PadOptions) => Tensor> =
  defineFunction({
    name: 'pad',
    call: (value: TensorLike, padding: readonly number[], options?: PadOptions) => {
      let x = toTensor('pad', value)
      const mode = options?.mode ?? 'constant'
      const side = lookUp('mode of pad', mode, modes)
      if (
        !Array.isArray(padding) ||
        padding.length % 2 !== 0 ||
        padding.length > 2 * x.rank ||
        !padding.every(Number.isInteger)
      ) {
        throw new ValueError(
          `pad: padding is pairs of whole numbers, last dimension first, at most ${x.rank} pairs for shape ${formatShape(x.shape)}; ` +
            `got [${String(padding)}]`,
        )
      }
      if (side === null) return padConstant(x, padding, options?.value ?? 0)
      for (let i = 0; i < padding.length; i += 2) {
        const dim = x.rank - 1 - i / 2
        const before = padding[i]!
        const after = padding[i + 1]!
        const most =
          mode === 'reflect'
            ? x.shape[dim]! - 1
            : mode === 'circular'
              ? x.shape[dim]!
              : x.shape[dim]! > 0
                ? Infinity
                : 0
        if (before < 0 || after < 0 || before > most || after > most) {
          throw new ShapeError(
            `pad: ${mode} padding [${before}, ${after}] does not fit dimension ${dim} of shape ${formatShape(x.shape)}: from 0 to ${most}`,
          )
        }
        const parts = [x]
        if (before > 0) parts.unshift(side(x, dim, before, true))
        if (after > 0) parts.push(side(x, dim, after, false))
        x = parts.length === 1 ? x : concatenate(parts, dim)
      }
      return x
    },
    samples: (make) => [
      [make.real([2, 3]), [1, 2]],
      [make.strided([2, 3]), [1, 0, 2, 1], { value: 1.5 }],
      [make.real([2, 5]), [-1, 1]],
      [make.real([2, 4]), [2, 1], { mode: 'reflect' }],
      [make.real([3, 4]), [1, 2, 2, 0], { mode: 'replicate' }],
      [make.real([2, 4]), [3, 1], { mode: 'circular' }],
      [make.real([0, 2]), [1, 1]],
    ],
    wrong: [
      { args: (make) => [make.real([2]), [1]], error: 'ValueError', message: /pad: padding is pairs/ },
      {
        args: (make) => [make.real([2]), [1, 1], { mode: 'mirror' }],
        error: 'ValueError',
        message: /mode of pad 'mirror'/,
      },
      {
        args: (make) => [make.real([2]), [2, 0], { mode: 'reflect' }],
        error: 'ShapeError',
        message: /pad: reflect padding/,
      },
      { args: (make) => [make.real([2]), [-3, 0]], error: 'ShapeError', message: /pad: cutting/ },
    ],
  })

function padConstant(x: Tensor, padding: readonly number[], value: number): Tensor {
  const before = x.shape.map((_, dim) => padding[2 * (x.rank - 1 - dim)] ?? 0)
  const after = x.shape.map((_, dim) => padding[2 * (x.rank - 1 - dim) + 1] ?? 0)
  const kept = x.shape.map((size, dim) => size + Math.min(0, before[dim]!) + Math.min(0, after[dim]!))
  if (kept.some((size) => size < 0))
    throw new ShapeError(
      `pad: cutting [${padding.join(', ')}] off shape ${formatShape(x.shape)} leaves less than nothing`,
    )
  const cut = padding.some((count) => count < 0)
    ? slice(
        x,
        before.map((count) => Math.max(0, -count)),
        x.shape.map(() => 1),
        kept,
      )
    : x
  return surround(
    cut,
    before.map((count) => Math.max(0, count)),
    after.map((count) => Math.max(0, count)),
    value,
  )
}
