// Convolution layers: weights, checks and padding modes around the ops conv1d and conv2d.
import { lookUp, ValueError } from '@nabla/engine'
import { conv1d, conv2d, pad, toTensor, type Parameter, type Tensor, type TensorLike } from '@nabla/tensor'
import { nonNegativeInteger, pair, positiveInteger, type Pair } from './check.ts'
import { fanInUniform } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** What lies around an image: zeros, its mirror image, its edge repeated, or its other side. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

const paddingModes: Readonly<Record<PaddingMode, true>> = { zeros: true, reflect: true, replicate: true, circular: true }

interface ConvOptions<Size> {
  /** Step between windows. Default 1. */
  stride?: Size
  /** Rows added on every side (default 0); `same` keeps sizes (stride 1 only), `valid` adds none. */
  padding?: Size | 'same' | 'valid'
  /** Distance between the taps of a window. Default 1. */
  dilation?: Size
  /** Groups of channels that do not mix. Default 1. */
  groups?: number
  /** Whether a bias is added (the default). */
  bias?: boolean
  paddingMode?: PaddingMode
  dtype?: FloatingType
}

/** Settings of {@link Conv1d}. */
export type Conv1dOptions = ConvOptions<number>

/** Settings of {@link Conv2d}. One number means both height and width. */
export type Conv2dOptions = ConvOptions<Pair>

// What both layers do alike, with sizes as lists: one per dimension of the window.
abstract class Convolution extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
  readonly paddingMode: PaddingMode
  readonly weight: Parameter
  readonly bias: Parameter | null
  // Rows added before and after each dimension by `pad`, where the op itself cannot: other modes, and uneven `same`.
  readonly #around: readonly (readonly [number, number])[] | null

  constructor(
    layer: string,
    channels: readonly [number, number],
    kernelSize: readonly number[],
    sizes: { stride: readonly number[]; padding: readonly number[] | 'same' | 'valid'; dilation: readonly number[] },
    { groups = 1, bias = true, paddingMode = 'zeros', dtype = 'float32' }: Omit<ConvOptions<number>, 'stride' | 'padding' | 'dilation'>,
  ) {
    super()
    this.inChannels = positiveInteger(layer, 'inChannels', channels[0])
    this.outChannels = positiveInteger(layer, 'outChannels', channels[1])
    this.groups = positiveInteger(layer, 'groups', groups)
    if (this.inChannels % groups !== 0 || this.outChannels % groups !== 0) {
      throw new ValueError(`${layer}: groups (${groups}) must divide inChannels (${channels[0]}) and outChannels (${channels[1]})`)
    }
    lookUp('paddingMode', paddingMode, paddingModes)
    this.kernelSize = kernelSize
    this.stride = sizes.stride
    this.dilation = sizes.dilation
    this.paddingMode = paddingMode
    const around = amountsAround(layer, kernelSize, sizes)
    const even = around.every(([before, after]) => before === after)
    this.padding = even && paddingMode === 'zeros' ? around.map(([before]) => before) : around.map(() => 0)
    this.#around = even && paddingMode === 'zeros' ? null : around
    const shape = [this.outChannels, this.inChannels / groups, ...kernelSize]
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
    const name = `${layer}(${channels[0]}, ${channels[1]})`
    this.weight = fanInUniform(shape, fanIn, dtype, `${name}.weight`)
    this.bias = bias ? fanInUniform([this.outChannels], fanIn, dtype, `${name}.bias`) : null
  }

  override describe(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}, [${this.kernelSize.join(', ')}]`]
    const padding = this.#around?.map(([before, after]) => (before === after ? before : `${before}+${after}`)) ?? this.padding
    if (this.stride.some((step) => step !== 1)) parts.push(`stride: [${this.stride.join(', ')}]`)
    if (padding.some((amount) => amount !== 0)) parts.push(`padding: [${padding.join(', ')}]`)
    if (this.dilation.some((step) => step !== 1)) parts.push(`dilation: [${this.dilation.join(', ')}]`)
    if (this.groups !== 1) parts.push(`groups: ${this.groups}`)
    if (this.paddingMode !== 'zeros') parts.push(`paddingMode: '${this.paddingMode}'`)
    if (this.bias === null) parts.push('bias: false')
    return parts.join(', ')
  }

  protected padded(layer: string, value: TensorLike): Tensor {
    const x = toTensor(layer, value)
    if (this.#around === null) return x
    // Listed from the last dimension to the first, as in PyTorch's pad.
    const amounts = [...this.#around].reverse().flat()
    return pad(x, amounts, { mode: this.paddingMode === 'zeros' ? 'constant' : this.paddingMode })
  }
}

/**
 * Convolution (cross-correlation) of sequences.
 *
 * Shape: x [N, C, L] -> y [N, O, L'] with L' = floor((L + 2·padding - dilation·(kernelSize - 1) - 1) / stride) + 1;
 * weight [O, C / groups, kernelSize], bias [O].
 */
export class Conv1d extends Convolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(inChannels: number, outChannels: number, kernelSize: number, options: Conv1dOptions = {}) {
    const { stride = 1, padding = 0, dilation = 1, ...rest } = options
    const sizes = {
      stride: [positiveInteger('Conv1d', 'stride', stride)],
      padding: typeof padding === 'string' ? padding : [nonNegativeInteger('Conv1d', 'padding', padding)],
      dilation: [positiveInteger('Conv1d', 'dilation', dilation)],
    }
    super('Conv1d', [inChannels, outChannels], [positiveInteger('Conv1d', 'kernelSize', kernelSize)], sizes, rest)
  }

  /** @throws ShapeError when x has not `inChannels` channels, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return conv1d(this.padded('Conv1d', x), this.weight, this.bias, {
      stride: this.stride[0]!,
      padding: this.padding[0]!,
      dilation: this.dilation[0]!,
      groups: this.groups,
    })
  }
}

/**
 * Convolution (cross-correlation) of images.
 *
 * Shape: x [N, C, H, W] -> y [N, O, H', W'] with H' = floor((H + 2·padding - dilation·(kernelSize - 1) - 1) / stride) + 1;
 * weight [O, C / groups, kernel height, kernel width], bias [O].
 */
export class Conv2d extends Convolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dOptions = {}) {
    const { stride = 1, padding = 0, dilation = 1, ...rest } = options
    const sizes = {
      stride: pair('Conv2d', 'stride', stride, positiveInteger),
      padding: typeof padding === 'string' ? padding : pair('Conv2d', 'padding', padding, nonNegativeInteger),
      dilation: pair('Conv2d', 'dilation', dilation, positiveInteger),
    }
    super('Conv2d', [inChannels, outChannels], pair('Conv2d', 'kernelSize', kernelSize, positiveInteger), sizes, rest)
  }

  /** @throws ShapeError when x has not `inChannels` channels, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return conv2d(this.padded('Conv2d', x), this.weight, this.bias, {
      stride: this.stride as [number, number],
      padding: this.padding as [number, number],
      dilation: this.dilation as [number, number],
      groups: this.groups,
    })
  }
}

function amountsAround(
  layer: string,
  kernelSize: readonly number[],
  { stride, padding, dilation }: { stride: readonly number[]; padding: readonly number[] | string; dilation: readonly number[] },
): [number, number][] {
  if (typeof padding !== 'string') return padding.map((amount) => [amount, amount])
  lookUp(`padding of ${layer}`, padding, { same: true, valid: true })
  if (padding === 'valid') return kernelSize.map(() => [0, 0])
  if (stride.some((step) => step !== 1)) {
    throw new ValueError(`${layer}: padding 'same' needs a stride of 1; got [${stride.join(', ')}]. Give the padding as a number`)
  }
  // An even window has no middle: the odd row goes behind, as in PyTorch.
  return kernelSize.map((size, dim) => {
    const total = dilation[dim]! * (size - 1)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  })
}
