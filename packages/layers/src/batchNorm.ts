// Batch normalisation: statistics over the batch while training, their running averages in evaluation. The averages are
// Variables that a training forward assigns; they are written with the next step (or flush), in the same plan.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { noGrad, Parameter, toTensor, Variable, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import { ones, zeros } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'
import { affineOf, checkEps, perChannel } from './norm.ts'

/** Settings of {@link BatchNorm1d} and {@link BatchNorm2d}. */
export interface BatchNormOptions {
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
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super()
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true, dtype = 'float32' } = options
    const name = new.target.name
    this.numFeatures = positiveInteger(name, 'numFeatures', numFeatures)
    this.eps = checkEps(name, eps)
    if (momentum !== null && !(momentum >= 0 && momentum <= 1)) {
      throw new ValueError(`${name}: momentum must lie between 0 and 1, or be null; got ${String(momentum)}`)
    }
    this.momentum = momentum
    this.weight = affine ? new Parameter(ones([numFeatures], { dtype }), { name: `${name}.weight` }) : null
    this.bias = affine ? new Parameter(zeros([numFeatures], { dtype }), { name: `${name}.bias` }) : null
    const track = trackRunningStats
    this.runningMean = track ? new Variable(zeros([numFeatures], { dtype }), { name: `${name}.runningMean` }) : null
    this.runningVar = track ? new Variable(ones([numFeatures], { dtype }), { name: `${name}.runningVar` }) : null
    this.numBatchesTracked = track ? new Variable(0, { dtype: 'int32', name: `${name}.numBatchesTracked` }) : null
  }

  override describe(): string {
    return String(this.numFeatures)
  }

  /** @throws ShapeError */
  protected abstract checkInput(x: Tensor): void

  /**
   * @throws ShapeError when x has not `numFeatures` channels in dimension 1
   * @throws ValueError in training, when there is only one value per channel: it would always become 0
   */
  override forward(value: TensorLike): Tensor {
    const x = toTensor(this.constructor.name, value)
    this.checkInput(x)
    const { mean, variance } = this.training || this.runningMean === null ? this.#batchStatistics(x) : this.#averages(x.rank)
    const normalized = x.sub(mean).mul(variance.add(this.eps).rsqrt())
    return affineOf(normalized, perChannel(this.weight, x.rank), perChannel(this.bias, x.rank))
  }

  #averages(rank: number): { mean: Tensor; variance: Tensor } {
    const shape = channelShape(this.numFeatures, rank)
    return { mean: this.runningMean!.value.reshape(shape), variance: this.runningVar!.value.reshape(shape) }
  }

  #batchStatistics(x: Tensor): { mean: Tensor; variance: Tensor } {
    const dims = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1)
    const count = x.size / this.numFeatures
    if (this.training && count < 2) {
      throw new ValueError(
        `${this.constructor.name}: training needs more than one value per channel; got shape ${formatShape(x.shape)}. ` +
          'Leave out such a batch, or call eval()',
      )
    }
    const mean = x.mean(dims, { keepdim: true }) // [1, C, 1, 1]
    const variance = x.sub(mean).square().mean(dims, { keepdim: true }) // [1, C, 1, 1]
    if (this.training && this.runningMean !== null) noGrad(() => this.#track(mean, variance, count))
    return { mean, variance }
  }

  // Ioffe and Szegedy 2015, algorithm 2: the running variance is the unbiased one, though the batch uses the other.
  #track(mean: Tensor, variance: Tensor, count: number): void {
    const { runningMean, runningVar, numBatchesTracked } = this
    if (runningMean === null || runningVar === null || numBatchesTracked === null) return
    const batches = numBatchesTracked.value.add(1)
    const newest: TensorLike = this.momentum ?? batches.to(runningMean.dtype as FloatingType).reciprocal()
    const shape = [this.numFeatures]
    const unbiased = variance.reshape(shape).mul(count / (count - 1))
    numBatchesTracked.value = batches
    runningMean.value = runningMean.value.lerp(mean.reshape(shape), newest)
    runningVar.value = runningVar.value.lerp(unbiased, newest)
  }
}

/**
 * Batch normalisation of feature vectors or sequences (Ioffe and Szegedy 2015, algorithm 1).
 *
 * Shape: x [N, C] or [N, C, L] -> y of the same shape; weight, bias and running averages [C].
 */
export class BatchNorm1d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    checkChannels(this, x, [2, 3], '[N, C] or [N, C, L]')
  }
}

/**
 * Batch normalisation of images (Ioffe and Szegedy 2015, algorithm 1).
 *
 * Shape: x [N, C, H, W] -> y of the same shape; weight, bias and running averages [C].
 */
export class BatchNorm2d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    checkChannels(this, x, [4], '[N, C, H, W]')
  }
}

function checkChannels(layer: BatchNorm, x: Tensor, ranks: readonly number[], form: string): void {
  if (ranks.includes(x.rank) && x.shape[1] === layer.numFeatures) return
  const name = `${layer.constructor.name}(${layer.numFeatures})`
  throw new ShapeError(`${name}: x must be ${form} with C = ${layer.numFeatures}; got shape ${formatShape(x.shape)}`)
}

function channelShape(channels: number, rank: number): number[] {
  return [1, channels, ...Array.from({ length: rank - 2 }, () => 1)]
}
