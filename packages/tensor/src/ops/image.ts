// Images: channels rearranged into pixels and back, patches as columns, and resizing. x is [N, C, H, W] unless said otherwise.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { slice, surround } from './pieces.ts'
import { foldWindows, perSpatial, spanOf, type PerSpatial } from './spatial.ts'

function checkFactor(op: string, factor: number): void {
  if (!Number.isInteger(factor) || factor < 1)
    throw new ValueError(`${op}: the factor must be a whole number >= 1; got ${String(factor)}`)
}

function checkImages(op: string, x: Tensor): void {
  if (x.rank < 3) throw new ShapeError(`${op}: x must be [..., C, H, W]; got ${formatShape(x.shape)}`)
}

/** Channels into pixels (Shi et al. 2016): [..., C r^2, H, W] -> [..., C, H r, W r]. @throws ShapeError, ValueError */
export const pixelShuffle: OpFunction<(x: TensorLike, factor: number) => Tensor> = defineFunction({
  name: 'pixelShuffle',
  call: (value: TensorLike, factor: number) => {
    const x = toTensor('pixelShuffle', value)
    checkFactor('pixelShuffle', factor)
    checkImages('pixelShuffle', x)
    const [channels, height, width] = x.shape.slice(-3) as [number, number, number]
    const lead = x.shape.slice(0, -3)
    const result = channels / factor ** 2
    if (!Number.isInteger(result)) {
      throw new ShapeError(
        `pixelShuffle: ${channels} channels of x ${formatShape(x.shape)} do not divide by ${factor}^2`,
      )
    }
    const n = lead.length
    const order = [...lead.map((_, dim) => dim), n, n + 3, n + 1, n + 4, n + 2]
    return x
      .reshape([...lead, result, factor, factor, height, width])
      .permute(order)
      .reshape([...lead, result, height * factor, width * factor])
  },
  samples: (make) => [
    [make.real([2, 8, 2, 3]), 2],
    [make.real([9, 2, 2]), 3],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 3, 2, 2]), 2],
      error: 'ShapeError',
      message: /pixelShuffle: 3 channels/,
    },
  ],
})

/** The reverse of {@link pixelShuffle}: [..., C, H r, W r] -> [..., C r^2, H, W]. @throws ShapeError, ValueError */
export const pixelUnshuffle: OpFunction<(x: TensorLike, factor: number) => Tensor> = defineFunction({
  name: 'pixelUnshuffle',
  call: (value: TensorLike, factor: number) => {
    const x = toTensor('pixelUnshuffle', value)
    checkFactor('pixelUnshuffle', factor)
    checkImages('pixelUnshuffle', x)
    const [channels, height, width] = x.shape.slice(-3) as [number, number, number]
    if (height % factor !== 0 || width % factor !== 0) {
      throw new ShapeError(
        `pixelUnshuffle: height and width of x ${formatShape(x.shape)} do not divide by ${factor}`,
      )
    }
    const lead = x.shape.slice(0, -3)
    const n = lead.length
    const order = [...lead.map((_, dim) => dim), n, n + 2, n + 4, n + 1, n + 3]
    return x
      .reshape([...lead, channels, height / factor, factor, width / factor, factor])
      .permute(order)
      .reshape([...lead, channels * factor ** 2, height / factor, width / factor])
  },
  samples: (make) => [[make.real([2, 2, 4, 6]), 2]],
  wrong: [
    {
      args: (make) => [make.real([1, 3, 2, 3]), 2],
      error: 'ShapeError',
      message: /pixelUnshuffle: height and width/,
    },
  ],
})

/** Channels dealt out anew (Zhang et al. 2018): groups become the inner order of [N, C, ...]. @throws ShapeError, ValueError */
export const channelShuffle: OpFunction<(x: TensorLike, groups: number) => Tensor> = defineFunction({
  name: 'channelShuffle',
  call: (value: TensorLike, groups: number) => {
    const x = toTensor('channelShuffle', value)
    checkFactor('channelShuffle', groups)
    if (x.rank < 2 || x.shape[1]! % groups !== 0) {
      throw new ShapeError(
        `channelShuffle: the channels of x ${formatShape(x.shape)} do not divide into ${groups} groups`,
      )
    }
    const [images, channels, ...rest] = x.shape as [number, number, ...number[]]
    return x
      .reshape([images, groups, channels / groups, ...rest])
      .transpose(1, 2)
      .reshape(x.shape)
  },
  samples: (make) => [[make.real([1, 6, 2, 2]), 3]],
  wrong: [
    {
      args: (make) => [make.real([1, 5, 2]), 2],
      error: 'ShapeError',
      message: /channelShuffle: the channels/,
    },
  ],
})

/** Windows of images as columns. */
export interface PatchOptions {
  /** Default 1. */
  stride?: PerSpatial
  /** Zeros on all sides. Default 0. */
  padding?: PerSpatial
  /** Default 1. */
  dilation?: PerSpatial
}

interface Patches {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly counts: readonly number[]
}

function patchesOf(
  op: string,
  sizes: readonly number[],
  kernelGiven: PerSpatial,
  options: PatchOptions,
): Patches {
  const kernel = perSpatial(op, 'the kernel', kernelGiven, 2, 1)
  const stride = perSpatial(op, 'stride', options.stride ?? 1, 2, 1)
  const padding = perSpatial(op, 'padding', options.padding ?? 0, 2, 0)
  const dilation = perSpatial(op, 'dilation', options.dilation ?? 1, 2, 1)
  const counts = sizes.map((size, i) => {
    const room = size + 2 * padding[i]! - spanOf(kernel[i]!, dilation[i]!)
    if (room < 0)
      throw new ShapeError(
        `${op}: a window of ${spanOf(kernel[i]!, dilation[i]!)} does not fit into ${size} (padding ${padding[i]})`,
      )
    return Math.floor(room / stride[i]!) + 1
  })
  return { kernel, stride, padding, dilation, counts }
}

/** Patches as columns (PyTorch's F.unfold): x [N, C, H, W] -> [N, C KH KW, number of patches]. @throws ShapeError, ValueError */
export const im2col: OpFunction<(x: TensorLike, kernel: PerSpatial, options?: PatchOptions) => Tensor> =
  defineFunction({
    name: 'im2col',
    call: (value: TensorLike, kernelGiven: PerSpatial, options: PatchOptions = {}) => {
      const x = toTensor('im2col', value)
      if (x.rank !== 4) throw new ShapeError(`im2col: x must be [N, C, H, W]; got ${formatShape(x.shape)}`)
      const { kernel, stride, padding, dilation, counts } = patchesOf(
        'im2col',
        x.shape.slice(2),
        kernelGiven,
        options,
      )
      const padded = surround(x, [0, 0, ...padding], [0, 0, ...padding], 0)
      const windows = padded.unfold([2, 3], kernel, stride, dilation)
      const [images, channels] = x.shape as [number, number]
      return windows
        .permute([0, 1, 4, 5, 2, 3])
        .reshape([images, channels * kernel[0]! * kernel[1]!, counts[0]! * counts[1]!])
    },
    samples: (make) => [
      [make.real([2, 2, 4, 5]), [2, 3]],
      [make.real([1, 2, 5, 4]), 2, { stride: 2, padding: 1, dilation: 2 }],
    ],
    wrong: [{ args: (make) => [make.real([2, 4, 5]), 2], error: 'ShapeError', message: /im2col: x must be/ }],
  })

/** Columns added up to images (PyTorch's F.fold): x [N, C KH KW, patches] -> [N, C, ...size]; the adjoint of {@link im2col}. */
export const col2im: OpFunction<
  (x: TensorLike, size: PerSpatial, kernel: PerSpatial, options?: PatchOptions) => Tensor
> = defineFunction({
  name: 'col2im',
  call: (value: TensorLike, size: PerSpatial, kernelGiven: PerSpatial, options: PatchOptions = {}) => {
    const x = toTensor('col2im', value)
    const sizes = perSpatial('col2im', 'the size', size, 2, 1)
    const { kernel, stride, padding, dilation, counts } = patchesOf('col2im', sizes, kernelGiven, options)
    const [images, rows, patches] = x.shape
    const channels = rows! / (kernel[0]! * kernel[1]!)
    if (x.rank !== 3 || !Number.isInteger(channels) || patches !== counts[0]! * counts[1]!) {
      throw new ShapeError(
        `col2im: x must be [N, C * ${kernel[0]! * kernel[1]!}, ${counts[0]! * counts[1]!}] for this kernel and size; got ${formatShape(x.shape)}`,
      )
    }
    const windows = x.reshape([images!, channels, ...kernel, ...counts]).permute([0, 1, 4, 5, 2, 3])
    const padded = foldWindows(
      windows,
      sizes.map((length, i) => length + 2 * padding[i]!),
      stride,
      dilation,
    )
    return slice(padded, [0, 0, ...padding], [1, 1, 1, 1], [images!, channels, ...sizes])
  },
  samples: (make) => [
    [make.real([2, 12, 9]), [4, 5], [2, 3]],
    [make.real([1, 8, 6]), [5, 4], 2, { stride: 2, padding: 1, dilation: 2 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 12, 8]), [4, 5], [2, 3]],
      error: 'ShapeError',
      message: /col2im: x must be/,
    },
  ],
})
