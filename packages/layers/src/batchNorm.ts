// Batch normalisation: statistics over the batch while training, their running averages in evaluation. The averages are
// Variables that a training forward assigns; they are written with the next step (or flush), in the same plan.
import { formatShape, ShapeError } from '@nabla/engine'
import {
  batchNorm,
  noGrad,
  toTensor,
  Variable,
  varMean,
  type Parameter,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegative, positiveInteger, probability } from './check.ts'
import { ones, zeros } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'
import { scaleAndShift } from './norm.ts'

/** Settings of {@link BatchNorm1d}, {@link BatchNorm2d} and {@link BatchNorm3d}. */
export interface BatchNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Weight of the newest batch in the running averages (default 0.1); null: the plain mean of all batches. */
  momentum?: number | null
  /** Whether a scale and a shift per channel are learned (the default). */
  affine?: boolean
  /** Whether running averages are kept (the default). Without, evaluation uses the batch as well. */
  trackRunningStats?: boolean
  dtype?: FloatingType
}

abstract class BatchNorm extends Module {
  readonly numFeatures: number
  readonly eps: number
  readonly momentum: number | null
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly runningMean: Variable | null
  readonly runningVar: Variable | null
  readonly numBatchesTracked: Variable | null

  /** @throws ValueError for a number of features that is no positive integer, and a momentum outside of [0, 1] */
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super()
    const { eps = 1e-5, momentum = 0.1, trackRunningStats = true, dtype = 'float32' } = options
    const layer = new.target.name
    this.numFeatures = positiveInteger(layer, 'numFeatures', numFeatures)
    this.eps = nonNegative(layer, 'eps', eps)
    this.momentum = momentum === null ? null : probability(layer, 'momentum', momentum)
    const { weight, bias } = scaleAndShift(layer, [numFeatures], options)
    this.weight = weight
    this.bias = bias
    const track = trackRunningStats
    this.runningMean = track
      ? new Variable(zeros([numFeatures], { dtype }), { name: `${layer}.runningMean` })
      : null
    this.runningVar = track
      ? new Variable(ones([numFeatures], { dtype }), { name: `${layer}.runningVar` })
      : null
    this.numBatchesTracked = track
      ? new Variable(0, { dtype: 'int32', name: `${layer}.numBatchesTracked` })
      : null
  }

  /** @throws ShapeError when x has not `numFeatures` channels, or in training only one value for each */
  override forward(value: TensorLike): Tensor {
    const x = toTensor(this.constructor.name, value)
    this.checkInput(x)
    const { weight, bias, eps, momentum, runningMean, runningVar, training } = this
    if (!training) return batchNorm(x, { weight, bias, eps, runningMean, runningVar })
    const tracked = momentum === null ? {} : { runningMean, runningVar, momentum }
    const y = batchNorm(x, { weight, bias, eps, training, ...tracked })
    noGrad(() => this.#countBatch(x))
    return y
  }

  override describe(): string {
    return String(this.numFeatures)
  }

  /** @throws ShapeError */
  protected abstract checkInput(x: Tensor): void

  // Without a momentum, the newest of n batches counts for 1 / n.
  #countBatch(x: Tensor): void {
    const { numBatchesTracked, runningMean, runningVar, momentum } = this
    if (numBatchesTracked === null || runningMean === null || runningVar === null) return
    const batches = numBatchesTracked.value.add(1)
    numBatchesTracked.value = batches
    if (momentum !== null) return
    const share = batches.to(runningMean.dtype).reciprocal()
    const { mean, variance } = varMean(
      x,
      x.shape.map((_, dim) => dim).filter((dim) => dim !== 1),
    ) // [C]
    runningMean.value = runningMean.value.lerp(mean, share)
    runningVar.value = runningVar.value.lerp(variance, share)
  }
}

/**
 * Batch normalisation of feature vectors or sequences (Ioffe and Szegedy 2015, algorithms 1 and 2).
 *
 * Shape: x [N, C] or [N, C, L] -> y of the same shape; weight, bias and running averages [C].
 */
export class BatchNorm1d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    checkChannels(this, x, [2, 3], '[N, C] or [N, C, L]')
  }
}

/**
 * Batch normalisation of images (Ioffe and Szegedy 2015, algorithms 1 and 2).
 *
 * Shape: x [N, C, H, W] -> y of the same shape; weight, bias and running averages [C].
 */
export class BatchNorm2d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    checkChannels(this, x, [4], '[N, C, H, W]')
  }
}

/**
 * Batch normalisation of volumes (Ioffe and Szegedy 2015, algorithms 1 and 2).
 *
 * Shape: x [N, C, D, H, W] -> y of the same shape; weight, bias and running averages [C].
 */
export class BatchNorm3d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    checkChannels(this, x, [5], '[N, C, D, H, W]')
  }
}

function checkChannels(layer: BatchNorm, x: Tensor, ranks: readonly number[], form: string): void {
  if (ranks.includes(x.rank) && x.shape[1] === layer.numFeatures) return
  const name = `${layer.constructor.name}(${layer.numFeatures})`
  throw new ShapeError(
    `${name}: x must be ${form} with C = ${layer.numFeatures}; got shape ${formatShape(x.shape)}`,
  )
}
