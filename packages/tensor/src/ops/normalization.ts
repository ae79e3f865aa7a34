// Normalisations: of layers, groups, instances and batches, by root mean square, by the responses of neighbouring channels,
// and to unit length. Weights and biases scale and shift afterwards and may be left out. Read before: standardize.ts.
import {
  checkDim,
  checkShape,
  formatShape,
  sameShape,
  ShapeError,
  ValueError,
  type Shape,
} from '@nabla/engine'
import { defineFunction, numberTensor, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { Variable } from '../variable.ts'
import { floating } from './common.ts'
import { surround } from './pieces.ts'
import { momentsOf, scaleByRootMeanSquare, standardize } from './standardize.ts'

/** Settings of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Shape of the normalised last dimensions. */
  weight?: TensorLike | null
  bias?: TensorLike | null
  /** Added to the variance. Default 1e-5. */
  eps?: number
}

/** Checks the shape of the last dimensions that are normalised and returns those dimensions. */
function normalizedDims(op: string, x: Tensor, given: number | Shape): number[] {
  const shape = checkShape(op, typeof given === 'number' ? [given] : given)
  const start = x.rank - shape.length
  if (shape.length === 0 || start < 0 || !sameShape(x.shape.slice(start), shape)) {
    throw new ShapeError(
      `${op}: x ${formatShape(x.shape)} does not end in the normalised shape ${formatShape(shape)}`,
    )
  }
  return shape.map((_, i) => start + i)
}

function scalar(op: string, eps: number, x: Tensor): Tensor {
  if (typeof eps !== 'number' || !(eps >= 0))
    throw new ValueError(`${op}: eps must be a number >= 0; got ${String(eps)}`)
  return numberTensor(eps, x.dtype)
}

/** Weight and bias over trailing dimensions. */
function affine(
  op: string,
  y: Tensor,
  shape: Shape,
  weight: TensorLike | null | undefined,
  bias: TensorLike | null | undefined,
): Tensor {
  const check = (value: TensorLike, what: string): Tensor => {
    const tensor = toTensor(op, value)
    if (sameShape(tensor.shape, shape)) return tensor
    throw new ShapeError(`${op}: the ${what} must be ${formatShape(shape)}; got ${formatShape(tensor.shape)}`)
  }
  let result = y
  if (weight !== undefined && weight !== null) result = result.mul(check(weight, 'weight'))
  if (bias !== undefined && bias !== null) result = result.add(check(bias, 'bias'))
  return result
}

/** Weight and bias of channels, which are dimension 1. */
function affineChannels(
  op: string,
  y: Tensor,
  weight: TensorLike | null | undefined,
  bias: TensorLike | null | undefined,
): Tensor {
  const channels = y.shape[1]!
  const spread = (value: TensorLike, what: string): Tensor => {
    const tensor = toTensor(op, value)
    if (tensor.rank !== 1 || tensor.size !== channels) {
      throw new ShapeError(
        `${op}: ${channels} channels need a ${what} [${channels}]; got ${formatShape(tensor.shape)}`,
      )
    }
    return tensor.reshape([channels, ...y.shape.slice(2).map(() => 1)])
  }
  let result = y
  if (weight !== undefined && weight !== null) result = result.mul(spread(weight, 'weight'))
  if (bias !== undefined && bias !== null) result = result.add(spread(bias, 'bias'))
  return result
}

/**
 * Layer normalisation (Ba, Kiros, Hinton 2016, eq. 4): over the last dimensions, whose shape is given,
 * (x - mean) / sqrt(variance + eps) * weight + bias.
 * @throws ShapeError
 */
export const layerNorm: OpFunction<
  (x: TensorLike, normalizedShape: number | Shape, options?: LayerNormOptions) => Tensor
> = defineFunction({
  name: 'layerNorm',
  call: (value: TensorLike, normalizedShape: number | Shape, options: LayerNormOptions = {}) => {
    const x = floating(toTensor('layerNorm', value))
    const dims = normalizedDims('layerNorm', x, normalizedShape)
    const y = standardize(x, dims, scalar('layerNorm', options.eps ?? 1e-5, x))
    return affine('layerNorm', y, x.shape.slice(dims[0]), options.weight, options.bias)
  },
  samples: (make) => [
    [make.real([2, 5, 8]), [8]],
    [make.real([2, 3, 4]), [3, 4]],
    [make.strided([3, 6]), 6],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 5]), [4]],
      error: 'ShapeError',
      message: /layerNorm: x \[2, 5\] does not end in .* \[4\]/,
    },
    {
      args: (make) => [make.real([2, 5]), 5, { weight: make.real([4]) }],
      error: 'ShapeError',
      message: /layerNorm: the weight must be \[5\]/,
    },
    { args: (make) => [make.real([2, 5]), 5, { eps: -1 }], error: 'ValueError', message: /layerNorm: eps/ },
  ],
})

/** Settings of {@link rmsNorm}. */
export interface RmsNormOptions {
  weight?: TensorLike | null
  /** Added to the mean square. Default 1e-6. */
  eps?: number
}

/**
 * Root mean square normalisation (Zhang, Sennrich 2019, eq. 4): x / sqrt(mean(x^2) + eps) * weight over the last dimensions.
 * @throws ShapeError
 */
export const rmsNorm: OpFunction<
  (x: TensorLike, normalizedShape: number | Shape, options?: RmsNormOptions) => Tensor
> = defineFunction({
  name: 'rmsNorm',
  call: (value: TensorLike, normalizedShape: number | Shape, options: RmsNormOptions = {}) => {
    const x = floating(toTensor('rmsNorm', value))
    const dims = normalizedDims('rmsNorm', x, normalizedShape)
    const y = scaleByRootMeanSquare(x, dims, scalar('rmsNorm', options.eps ?? 1e-6, x))
    return affine('rmsNorm', y, x.shape.slice(dims[0]), options.weight, null)
  },
  samples: (make) => [
    [make.real([2, 5, 8]), [8]],
    [make.strided([3, 6]), 6],
  ],
  wrong: [{ args: (make) => [make.real([2, 5]), [4]], error: 'ShapeError', message: /rmsNorm: x \[2, 5\]/ }],
})

/** Weights and biases of channels, and what is added to variances. */
export interface ChannelNormOptions {
  weight?: TensorLike | null
  bias?: TensorLike | null
  /** Default 1e-5. */
  eps?: number
}

function checkChannels(op: string, x: Tensor): void {
  if (x.rank < 2) throw new ShapeError(`${op}: x must be [N, C, ...]; got ${formatShape(x.shape)}`)
}

/** Group normalisation (Wu, He 2018): channels [N, C, ...] in `groups`, each with its own mean and variance. @throws ShapeError, ValueError */
export const groupNorm: OpFunction<(x: TensorLike, groups: number, options?: ChannelNormOptions) => Tensor> =
  defineFunction({
    name: 'groupNorm',
    call: (value: TensorLike, groups: number, options: ChannelNormOptions = {}) => {
      const x = floating(toTensor('groupNorm', value))
      checkChannels('groupNorm', x)
      const [images, channels] = x.shape as [number, number]
      if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
        throw new ValueError(`groupNorm: ${channels} channels do not divide into ${String(groups)} groups`)
      }
      const size = x.shape.slice(2).reduce((product, length) => product * length, channels / groups)
      const eps = scalar('groupNorm', options.eps ?? 1e-5, x)
      const y = standardize(x.reshape([images, groups, size]), [2], eps).reshape(x.shape)
      return affineChannels('groupNorm', y, options.weight, options.bias)
    },
    samples: (make) => [
      [make.real([2, 6]), 3],
      [make.real([2, 4, 3, 2]), 2],
    ],
    wrong: [
      {
        args: (make) => [make.real([2, 6]), 4],
        error: 'ValueError',
        message: /groupNorm: 6 channels do not divide into 4/,
      },
      {
        args: (make) => [make.real([2, 6]), 3, { bias: make.real([3]) }],
        error: 'ShapeError',
        message: /groupNorm: 6 channels need a bias/,
      },
    ],
  })

/** Instance normalisation (Ulyanov et al. 2016): every channel of every image [N, C, ...] by itself. @throws ShapeError */
export const instanceNorm: OpFunction<(x: TensorLike, options?: ChannelNormOptions) => Tensor> =
  defineFunction({
    name: 'instanceNorm',
    call: (value: TensorLike, options: ChannelNormOptions = {}) => {
      const x = floating(toTensor('instanceNorm', value))
      if (x.rank < 3)
        throw new ShapeError(
          `instanceNorm: x must be [N, C, ...] with spatial dimensions; got ${formatShape(x.shape)}`,
        )
      const dims = x.shape.map((_, dim) => dim).slice(2)
      const y = standardize(x, dims, scalar('instanceNorm', options.eps ?? 1e-5, x))
      return affineChannels('instanceNorm', y, options.weight, options.bias)
    },
    samples: (make) => [[make.real([2, 3, 4, 5])], [make.real([2, 3, 6])]],
    wrong: [{ args: (make) => [make.real([2, 3])], error: 'ShapeError', message: /instanceNorm: x must be/ }],
  })

/** Settings of {@link batchNorm}. */
export interface BatchNormOptions extends ChannelNormOptions {
  /** Statistics [C] used when not training. In training a Variable is moved towards those of the batch. */
  runningMean?: TensorLike | null
  runningVar?: TensorLike | null
  /** Whether statistics of the batch are used (as they also are where there are no running ones). Default false. */
  training?: boolean
  /** Share of the batch in the new running statistics. Default 0.1. */
  momentum?: number
}

/**
 * Batch normalisation (Ioffe, Szegedy 2015, algorithms 1 and 2): channels of x [N, C, ...] over all other dimensions.
 * Running variances are unbiased, as in PyTorch.
 * @throws ShapeError
 */
export const batchNorm: OpFunction<(x: TensorLike, options?: BatchNormOptions) => Tensor> = defineFunction({
  name: 'batchNorm',
  call: (value: TensorLike, options: BatchNormOptions = {}) => {
    const x = floating(toTensor('batchNorm', value))
    checkChannels('batchNorm', x)
    const { runningMean, runningVar, training = false, momentum = 0.1 } = options
    const eps = scalar('batchNorm', options.eps ?? 1e-5, x)
    const known =
      runningMean !== undefined && runningMean !== null && runningVar !== undefined && runningVar !== null
    if (!training && known) {
      // One factor and one shift per channel.
      const scale = channelValue('running variance', runningVar, x).add(eps).rsqrt()
      const y = x.sub(channelValue('running mean', runningMean, x)).mul(scale)
      return affineChannels('batchNorm', y, options.weight, options.bias)
    }
    const dims = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1)
    const count = x.size / x.shape[1]!
    if (training && count <= 1) {
      throw new ShapeError(
        `batchNorm: training needs more than one value per channel; got x ${formatShape(x.shape)}`,
      )
    }
    if (training) {
      noGrad(() => {
        const { mean, variance } = momentsOf(x, dims)
        moveTowards(runningMean, mean, momentum)
        moveTowards(runningVar, variance.mul(count / (count - 1)), momentum)
      })
    }
    return affineChannels('batchNorm', standardize(x, dims, eps), options.weight, options.bias)
  },
  samples: (make) => [
    [make.real([5, 3]), { training: true }],
    [make.real([2, 3, 4, 2]), { training: true }],
    [make.real([2, 3, 4]), { runningMean: make.real([3]), runningVar: make.real([3], { low: 0.5 }) }],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 3]), { training: true }],
      error: 'ShapeError',
      message: /batchNorm: training needs more than one/,
    },
    { args: (make) => [make.real([3])], error: 'ShapeError', message: /batchNorm: x must be \[N, C, ...\]/ },
    {
      args: (make) => [make.real([2, 3]), { runningMean: make.real([2]), runningVar: make.real([3]) }],
      error: 'ShapeError',
      message: /batchNorm: 3 channels need a running mean \[3\]/,
    },
  ],
})

function channelValue(what: string, value: TensorLike, x: Tensor): Tensor {
  const tensor = toTensor('batchNorm', value)
  const channels = x.shape[1]!
  if (tensor.rank !== 1 || tensor.size !== channels) {
    throw new ShapeError(
      `batchNorm: ${channels} channels need a ${what} [${channels}]; got ${formatShape(tensor.shape)}`,
    )
  }
  return tensor.reshape([channels, ...x.shape.slice(2).map(() => 1)])
}

function moveTowards(running: TensorLike | null | undefined, batch: Tensor, momentum: number): void {
  if (!(running instanceof Variable)) return
  const old = running.value
  running.value = old.lerp(batch.reshape(running.shape).to(running.dtype), momentum)
}

/** Settings of {@link localResponseNorm}. */
export interface LocalResponseOptions {
  /** Default 1e-4. */
  alpha?: number
  /** Default 0.75. */
  beta?: number
  /** Default 1. */
  k?: number
}

/**
 * Local response normalisation (Krizhevsky et al. 2012, section 3.3): x [N, C, ...] / (k + alpha mean(x^2))^beta over `size`
 * neighbouring channels, missing ones counting as 0.
 * @throws ShapeError, ValueError
 */
export const localResponseNorm: OpFunction<
  (x: TensorLike, size: number, options?: LocalResponseOptions) => Tensor
> = defineFunction({
  name: 'localResponseNorm',
  call: (value: TensorLike, size: number, options: LocalResponseOptions = {}) => {
    const x = floating(toTensor('localResponseNorm', value))
    checkChannels('localResponseNorm', x)
    if (!Number.isInteger(size) || size < 1)
      throw new ValueError(`localResponseNorm: size must be a whole number >= 1; got ${String(size)}`)
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options
    const around = (count: number): number[] => x.shape.map((_, dim) => (dim === 1 ? count : 0))
    const squares = surround(x.square(), around(Math.floor(size / 2)), around(Math.floor((size - 1) / 2)), 0)
    const means = squares.unfold(1, size).mean(-1)
    return x.div(means.mul(alpha).add(k).pow(beta))
  },
  samples: (make) => [
    [make.real([2, 5, 3, 2]), 3],
    [make.real([2, 4, 3]), 2, { alpha: 0.1, k: 2 }],
  ],
  wrong: [
    { args: (make) => [make.real([2, 3]), 0], error: 'ValueError', message: /localResponseNorm: size/ },
  ],
})

/** Settings of {@link normalize}. */
export interface NormalizeOptions {
  /** Exponent of the norm. Default 2. */
  p?: number
  /** Default 1. */
  dim?: number
  /** Norms below this count as this. Default 1e-12. */
  eps?: number
}

/** x / max(norm(x), eps) along a dimension. @throws ShapeError */
export const normalize: OpFunction<(x: TensorLike, options?: NormalizeOptions) => Tensor> = defineFunction({
  name: 'normalize',
  call: (value: TensorLike, options: NormalizeOptions = {}) => {
    const x = floating(toTensor('normalize', value))
    const { p = 2, dim = 1, eps = 1e-12 } = options
    const axis = checkDim('normalize', dim, x.rank)
    return x.div(x.norm(axis, { p, keepdim: true }).maximum(eps))
  },
  samples: (make) => [
    [make.real([2, 5])],
    [make.real([3, 4]), { dim: 0, p: 1 }],
    [make.strided([2, 3, 4]), { dim: -1, p: 3 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([3])],
      error: 'ShapeError',
      message: /normalize: dimension 1 does not exist/,
    },
  ],
})
