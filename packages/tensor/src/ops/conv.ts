// Convolutions of one, two and three spatial dimensions and their transposes, in PyTorch's layouts: inputs [N, C, ...],
// weights [O, C / groups, ...]. What happens underneath is in convolution.ts and convolution-forms.ts.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { operandsOf } from './contract.ts'
import { convolve, convolveInput } from './convolution.ts'
import { perSpatial, spanOf, type PerSpatial } from './spatial.ts'

/** Settings of convolutions. */
export interface ConvOptions {
  /** Steps between windows. Default 1. */
  stride?: PerSpatial
  /** Zeros on both sides; `'same'` (stride 1 only): as many as keep the size; `'valid'`: none, the default. */
  padding?: PerSpatial | 'same' | 'valid'
  /** Steps between the taps of a window. Default 1. */
  dilation?: PerSpatial
  /** Groups that channels are divided into; each output group sees only its input group. Default 1. */
  groups?: number
}

/** Settings of transposed convolutions. */
export interface ConvTransposeOptions {
  /** Default 1. */
  stride?: PerSpatial
  /** What is cut off at both sides. Default 0. */
  padding?: PerSpatial
  /** What is added at the end, to choose among the sizes that a strided convolution maps to one. Default 0. */
  outputPadding?: PerSpatial
  /** Default 1. */
  dilation?: PerSpatial
  /** Default 1. */
  groups?: number
}

/** A convolution. `bias` may be left out or null. */
export type Conv = OpFunction<
  (x: TensorLike, weight: TensorLike, bias?: TensorLike | null, options?: ConvOptions) => Tensor
>

/** A transposed convolution. `bias` may be left out or null. */
export type ConvTranspose = OpFunction<
  (x: TensorLike, weight: TensorLike, bias?: TensorLike | null, options?: ConvTransposeOptions) => Tensor
>

function convolution(name: string, spatial: number): (...args: Parameters<Conv>) => Tensor {
  return (input, weight, bias, options = {}) => {
    const [given, w] = operandsOf(name, input, weight)
    const { groups = 1 } = options
    const x = batched(name, given, spatial)
    checkWeight(name, w, spatial)
    checkGroups(name, groups, w.shape[0]!, 'output')
    if (x.shape[1] !== w.shape[1]! * groups) {
      throw new ShapeError(
        `${name}: x ${formatShape(given.shape)} has ${x.shape[1]} channels, but weight ${formatShape(w.shape)} with ` +
          `groups ${groups} takes ${w.shape[1]! * groups}`,
      )
    }
    const sizes = x.shape.slice(2)
    const kernel = w.shape.slice(2)
    const stride = perSpatial(name, 'stride', options.stride ?? 1, spatial, 1)
    const dilation = perSpatial(name, 'dilation', options.dilation ?? 1, spatial, 1)
    const [before, after] = paddingOf(name, options.padding ?? 0, kernel, stride, dilation)
    const count = sizes.map((size, dim) => {
      const span = spanOf(kernel[dim]!, dilation[dim]!)
      const room = size + before[dim]! + after[dim]!
      if (room < span) {
        throw new ShapeError(
          `${name}: a window of ${span} does not fit into spatial dimension ${dim} of x ${formatShape(given.shape)} ` +
            `(${room} with padding)`,
        )
      }
      return Math.floor((room - span) / stride[dim]!) + 1
    })
    const result = convolve(x, w, { sizes, kernel, count, stride, dilation, before, groups })
    const full = withBias(name, result, bias)
    return given.rank === x.rank ? full : full.squeeze(0)
  }
}

function transposedConvolution(
  name: string,
  spatial: number,
): (...args: Parameters<ConvTranspose>) => Tensor {
  return (input, weight, bias, options = {}) => {
    const [given, w] = operandsOf(name, input, weight)
    const { groups = 1 } = options
    const x = batched(name, given, spatial)
    checkWeight(name, w, spatial)
    checkGroups(name, groups, x.shape[1]!, 'input')
    if (x.shape[1] !== w.shape[0]) {
      throw new ShapeError(
        `${name}: x ${formatShape(given.shape)} has ${x.shape[1]} channels, but weight ${formatShape(w.shape)} takes ${w.shape[0]}`,
      )
    }
    const count = x.shape.slice(2)
    const kernel = w.shape.slice(2)
    const stride = perSpatial(name, 'stride', options.stride ?? 1, spatial, 1)
    const dilation = perSpatial(name, 'dilation', options.dilation ?? 1, spatial, 1)
    const padding = perSpatial(name, 'padding', options.padding ?? 0, spatial, 0)
    const extra = perSpatial(name, 'outputPadding', options.outputPadding ?? 0, spatial, 0)
    const sizes = count.map((size, dim) => {
      if (extra[dim]! >= Math.max(stride[dim]!, dilation[dim]!)) {
        throw new ValueError(
          `${name}: outputPadding must be smaller than stride or dilation; got [${extra.join(', ')}]`,
        )
      }
      const span = spanOf(kernel[dim]!, dilation[dim]!)
      return (size - 1) * stride[dim]! + span - 2 * padding[dim]! + extra[dim]!
    })
    if (count.includes(0) || sizes.some((size) => size <= 0)) {
      throw new ShapeError(
        `${name}: x ${formatShape(given.shape)} would give spatial sizes ${formatShape(sizes)}`,
      )
    }
    const result = convolveInput(x, w, { sizes, kernel, count, stride, dilation, before: padding, groups })
    const full = withBias(name, result, bias)
    return given.rank === x.rank ? full : full.squeeze(0)
  }
}

function batched(op: string, x: Tensor, spatial: number): Tensor {
  if (x.rank === spatial + 1) return x.unsqueeze(0)
  if (x.rank === spatial + 2) return x
  throw new ShapeError(
    `${op}: x must be [N, C${', size'.repeat(spatial)}] or, without a batch, [C${', size'.repeat(spatial)}]; got ${formatShape(x.shape)}`,
  )
}

function checkWeight(op: string, w: Tensor, spatial: number): void {
  if (w.rank === spatial + 2 && !w.shape.slice(2).includes(0)) return
  throw new ShapeError(
    `${op}: weight must have ${spatial + 2} dimensions, two of channels and ${spatial} of a kernel; got ${formatShape(w.shape)}`,
  )
}

function checkGroups(op: string, groups: number, channels: number, side: string): void {
  if (Number.isInteger(groups) && groups > 0 && channels % groups === 0) return
  throw new ValueError(`${op}: ${channels} ${side} channels do not divide into ${groups} groups`)
}

function paddingOf(
  op: string,
  padding: PerSpatial | 'same' | 'valid',
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): [number[], number[]] {
  if (padding === 'same') {
    if (stride.some((step) => step !== 1))
      throw new ValueError(`${op}: padding 'same' needs stride 1; got [${stride.join(', ')}]`)
    const total = kernel.map((size, dim) => (size - 1) * dilation[dim]!)
    // An odd number puts the larger half at the end, as PyTorch does.
    return [total.map((sum) => Math.floor(sum / 2)), total.map((sum) => Math.ceil(sum / 2))]
  }
  if (typeof padding === 'string' && padding !== 'valid') {
    throw new ValueError(`${op}: unknown padding '${String(padding)}'. Known: 'same', 'valid', or numbers`)
  }
  const both = perSpatial(op, 'padding', padding === 'valid' ? 0 : padding, kernel.length, 0)
  return [both, both]
}

function withBias(op: string, result: Tensor, bias: TensorLike | null | undefined): Tensor {
  if (bias === undefined || bias === null) return result
  const b = toTensor(op, bias)
  const channels = result.shape[1]!
  if (b.rank !== 1 || b.shape[0] !== channels) {
    throw new ShapeError(
      `${op}: ${channels} output channels need a bias [${channels}]; got ${formatShape(b.shape)}`,
    )
  }
  return result.add(b.reshape([channels, ...result.shape.slice(2).map(() => 1)]))
}

/**
 * Convolution along one dimension: x [N, C, L], weight [O, C / groups, K], bias [O] -> [N, O, L'], with
 * L' = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1. Without a batch, [C, L] -> [O, L'].
 * @throws ShapeError, ValueError
 */
export const conv1d: Conv = defineFunction({
  name: 'conv1d',
  call: convolution('conv1d', 1),
  samples: (make) => [
    [make.real([2, 3, 8]), make.real([4, 3, 3]), make.real([4])],
    [make.real([2, 3, 9]), make.real([4, 3, 3]), null, { dilation: 2 }],
    [make.real([1, 2, 7]), make.real([4, 1, 4]), make.real([4]), { padding: 'same', groups: 2 }],
    [make.real([2, 3, 8]), make.real([2, 3, 1])],
    [make.strided([3, 8]), make.real([2, 3, 3]), null, { stride: 2, padding: 1 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3, 8]), make.real([4, 2, 3])],
      error: 'ShapeError',
      message: /conv1d: x \[2, 3, 8\] has 3 channels/,
    },
    {
      args: (make) => [make.real([2, 3, 2]), make.real([4, 3, 3])],
      error: 'ShapeError',
      message: /conv1d: a window of 3 does not fit/,
    },
    {
      args: (make) => [make.real([3]), make.real([4, 3, 3])],
      error: 'ShapeError',
      message: /conv1d: x must be/,
    },
  ],
})

/**
 * Convolution of images: x [N, C, H, W], weight [O, C / groups, KH, KW], bias [O] -> [N, O, H', W'] (sizes as in
 * {@link conv1d}). As many groups as channels make a depthwise convolution. Kernels of 3 x 3 over many channels go by
 * Winograd's minimal filtering (Lavin and Gray 2015), F(2 x 2, 3 x 3), which rounds a little more often than plain sums.
 * @throws ShapeError, ValueError
 */
export const conv2d: Conv = defineFunction({
  name: 'conv2d',
  call: convolution('conv2d', 2),
  // Sums of some hundred products, and transformed tiles round two or three times as often as these.
  tolerance: { relative: 1e-5, absolute: 2e-5 },
  samples: (make) => [
    [make.real([2, 3, 5, 6]), make.real([4, 3, 3, 3]), make.real([4])],
    [make.real([1, 2, 5, 5]), make.real([3, 2, 3, 3]), null, { padding: 1 }],
    [make.real([1, 2, 6, 7]), make.real([2, 2, 3, 2]), make.real([2]), { stride: [2, 3], padding: [1, 0] }],
    [make.real([1, 4, 5, 5]), make.real([4, 2, 2, 2]), null, { groups: 2, dilation: [1, 2] }],
    [make.real([1, 3, 5, 5]), make.real([3, 1, 3, 3]), make.real([3]), { groups: 3, padding: 1 }],
    [make.real([1, 2, 6, 6]), make.real([4, 1, 3, 3]), null, { groups: 2, stride: 2, padding: 1 }],
    [make.real([1, 2, 4, 4]), make.real([2, 2, 2, 2]), null, { stride: 2 }],
    [make.real([1, 2, 4, 4]), make.real([3, 2, 4, 4])],
    [make.real([2, 2, 5, 5]), make.real([3, 2, 1, 1]), null, { stride: 2 }],
    [make.strided([1, 2, 5, 4]), make.strided([2, 2, 2, 3]), null, { padding: 'same' }],
    // Few positions and many channels; channels enough for transformed tiles, with whole tiles and with parts of them.
    [make.real([2, 3, 2, 2]), make.real([12, 3, 3, 3]), null, { padding: 1 }],
    [make.real([4, 24, 6, 6]), make.real([24, 24, 3, 3]), make.real([24]), { padding: 1 }],
    [make.real([3, 28, 9, 7]), make.real([26, 28, 3, 3])],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 2, 4, 4]), make.real([2, 2, 2, 2]), null, { stride: 0 }],
      error: 'ValueError',
      message: /conv2d: stride/,
    },
    {
      args: (make) => [make.real([1, 2, 4, 4]), make.real([3, 1, 2, 2]), null, { groups: 2 }],
      error: 'ValueError',
      message: /conv2d: 3 output channels/,
    },
    {
      args: (make) => [make.real([1, 2, 4, 4]), make.real([2, 2, 2, 2]), make.real([3])],
      error: 'ShapeError',
      message: /conv2d: 2 output channels need a bias/,
    },
    {
      args: (make) => [
        make.real([1, 2, 4, 4]),
        make.real([2, 2, 2, 2]),
        null,
        { padding: 'same', stride: 2 },
      ],
      error: 'ValueError',
      message: /conv2d: padding 'same'/,
    },
    {
      args: (make) => [make.real([1, 2, 4, 4]), make.real([2, 2, 2])],
      error: 'ShapeError',
      message: /conv2d: weight must have 4 dimensions/,
    },
  ],
})

/** Convolution of volumes: x [N, C, D, H, W], weight [O, C / groups, KD, KH, KW], bias [O] -> [N, O, D', H', W']. */
export const conv3d: Conv = defineFunction({
  name: 'conv3d',
  call: convolution('conv3d', 3),
  samples: (make) => [
    [make.real([1, 2, 3, 4, 3]), make.real([2, 2, 2, 2, 2]), make.real([2])],
    [make.real([1, 1, 3, 4, 4]), make.real([2, 1, 2, 3, 2]), null, { padding: 1, stride: 2 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 2, 4, 4]), make.real([2, 2, 2, 2])],
      error: 'ShapeError',
      message: /conv3d: weight must have 5/,
    },
  ],
})

/**
 * Transposed convolution: x [N, C, L], weight [C, O / groups, K], bias [O] -> [N, O, L'], with
 * L' = (L - 1) stride - 2 padding + dilation (K - 1) + outputPadding + 1.
 * @throws ShapeError, ValueError
 */
export const convTranspose1d: ConvTranspose = defineFunction({
  name: 'convTranspose1d',
  call: transposedConvolution('convTranspose1d', 1),
  samples: (make) => [
    [make.real([2, 3, 4]), make.real([3, 2, 3]), make.real([2])],
    [
      make.real([1, 4, 4]),
      make.real([4, 2, 3]),
      null,
      { stride: 2, padding: 1, outputPadding: 1, groups: 2 },
    ],
    [make.real([2, 3]), make.real([2, 2, 2]), null, { dilation: 2 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3, 4]), make.real([2, 3, 3])],
      error: 'ShapeError',
      message: /convTranspose1d: x \[2, 3, 4\] has 3 channels/,
    },
    {
      args: (make) => [make.real([2, 3, 4]), make.real([3, 2, 3]), null, { outputPadding: 1 }],
      error: 'ValueError',
      message: /outputPadding/,
    },
  ],
})

/** Transposed convolution of images: x [N, C, H, W], weight [C, O / groups, KH, KW], bias [O] -> [N, O, H', W']. */
export const convTranspose2d: ConvTranspose = defineFunction({
  name: 'convTranspose2d',
  call: transposedConvolution('convTranspose2d', 2),
  samples: (make) => [
    [make.real([1, 3, 3, 4]), make.real([3, 2, 3, 2]), make.real([2])],
    [make.real([1, 2, 3, 3]), make.real([2, 2, 4, 4]), null, { stride: 2, padding: 1 }],
    [make.real([1, 2, 3, 3]), make.real([2, 1, 2, 2]), null, { stride: 2, groups: 2 }],
    [
      make.real([1, 2, 3, 2]),
      make.real([2, 2, 3, 3]),
      make.real([2]),
      { stride: [3, 1], padding: [1, 0], outputPadding: [2, 0] },
    ],
    [make.real([1, 2, 3, 3]), make.real([2, 2, 2, 2]), null, { dilation: 2, outputPadding: 1 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 1, 1, 1]), make.real([1, 1, 1, 1]), null, { padding: 1 }],
      error: 'ShapeError',
      message: /would give spatial sizes/,
    },
  ],
})

/** Transposed convolution of volumes: x [N, C, D, H, W], weight [C, O / groups, KD, KH, KW] -> [N, O, D', H', W']. */
export const convTranspose3d: ConvTranspose = defineFunction({
  name: 'convTranspose3d',
  call: transposedConvolution('convTranspose3d', 3),
  samples: (make) => [
    [make.real([1, 2, 2, 2, 3]), make.real([2, 1, 2, 2, 2]), make.real([1]), { stride: 2 }],
  ],
})
