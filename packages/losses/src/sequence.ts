// The loss between sequences whose alignment is not known: connectionist temporal classification, by its forward
// recursion in logarithms, for all sequences of a batch at once. Gradients come from differentiating the recursion.
import { DTypeError, formatShape, sameShape, ShapeError, ValueError } from '@nabla/engine'
import {
  arange,
  cat,
  full,
  stack,
  tensor,
  toTensor,
  unbind,
  where,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { checkReduction, reduce, type LossOptions } from './common.ts'

/** Settings of {@link ctcLoss}. */
export interface CtcOptions extends LossOptions {
  /** The class that stands for nothing. Default 0. */
  blank?: number
  /** Whether sequences too short for their targets count as 0 instead of infinity. Default false. */
  zeroInfinity?: boolean
}

// The logarithm of probability 0: finite, so that sums and gradients of it stay numbers.
const impossible = -1e30

/**
 * Connectionist temporal classification (Graves et al. 2006, equations 6 to 8): the negative logarithm of the probability
 * of all alignments of the targets to the inputs. With reduction `mean`, losses are divided by the lengths of their
 * targets before they are averaged, as in PyTorch.
 *
 * Shape: logProbs [T, N, C] (after logSoftmax over C), targets [N, S] (int32), inputLengths and targetLengths [N] ->
 * scalar, or [N] with reduction `none`. What lies behind a length is not looked at. Gradients take logProbs to be
 * normalised, as PyTorch's do.
 * @throws ShapeError, DTypeError when shapes and types do not fit; ValueError for lengths and labels out of range, where
 *   they are lists
 */
export function ctcLoss(
  logProbs: TensorLike,
  targets: TensorLike,
  inputLengths: TensorLike | readonly number[],
  targetLengths: TensorLike | readonly number[],
  options: CtcOptions = {},
): Tensor {
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = options
  checkReduction(reduction)
  const x = toTensor('ctcLoss', logProbs)
  const labels = toTensor('ctcLoss', targets)
  checkShapes(x, labels, blank)
  const [steps, count] = x.shape as [number, number, number]
  const length = labels.shape[1]!
  const inputEnds = lengthsOf('inputLengths', inputLengths, count, steps, 1)
  const targetEnds = lengthsOf('targetLengths', targetLengths, count, length, 0)

  const states = withBlanks(labels, blank) // [N, 2·S + 1]
  const maySkip = skips(states, blank)
  const emitted = unbind(x.gather(2, states.unsqueeze(0).expand([steps, ...states.shape]))) // per step [N, 2·S + 1]
  // An alignment begins with the first blank or the first label.
  let paths = where(arange(2 * length + 1).lt(2), emitted[0]!, impossible)
  for (let t = 1; t < steps; t++) {
    const from = [paths, moved(paths, 1), where(maySkip, moved(paths, 2), impossible)]
    const next = stack(from).logsumexp(0).add(emitted[t]!)
    paths = where(inputEnds.unsqueeze(1).gt(t), next, paths)
  }
  const losses = endings(paths, targetEnds).neg().add(normalisation(x, inputEnds)) // [N]
  const reached = losses.lt(-impossible / 2)
  const final = where(reached, losses, zeroInfinity ? 0 : Infinity)
  if (reduction !== 'mean') return reduce(final, reduction)
  return final.div(targetEnds.maximum(1)).mean()
}

// Labels with a blank before, between and behind them.
function withBlanks(labels: Tensor, blank: number): Tensor {
  const [count, length] = labels.shape as [number, number]
  const blanks = full([count, length + 1, 1], blank, { dtype: 'int32' })
  const pairs = stack([blanks.narrow(1, 0, length).squeeze(2), labels], -1).reshape([count, 2 * length])
  return cat([pairs, blanks.select(1, length)], 1)
}

// From one label to the next without a blank between: not where both are the same.
function skips(states: Tensor, blank: number): Tensor {
  const [count, width] = states.shape as [number, number]
  const none = full([count, Math.min(2, width)], blank, { dtype: 'int32' })
  const before = width > 2 ? cat([none, states.narrow(1, 0, width - 2)], 1) : none.narrow(1, 0, width)
  return states.ne(blank).logicalAnd(states.ne(before))
}

// The paths of the state `by` places before each.
function moved(paths: Tensor, by: number): Tensor {
  const [count, width] = paths.shape as [number, number]
  const none = full([count, Math.min(by, width)], impossible, { dtype: paths.dtype })
  return width > by ? cat([none, paths.narrow(1, 0, width - by)], 1) : none
}

// Zero, with the gradient that says that probabilities add up to 1. As in PyTorch, the gradient is then that of the scores
// before logSoftmax, which passes it on as it is: close to nothing is lost where probabilities are tiny.
function normalisation(x: Tensor, inputEnds: Tensor): Tensor {
  const alive = arange(x.shape[0]!).unsqueeze(1).lt(inputEnds) // [T, N]
  const total = where(alive, x.exp().sum(2), 0).sum(0) // [N]
  return total.sub(total.detach())
}

// An alignment ends with the last label or the blank behind it.
function endings(paths: Tensor, targetEnds: Tensor): Tensor {
  const place = arange(paths.shape[1]!).unsqueeze(0) // [1, 2·S + 1]
  const last = targetEnds.mul(2).unsqueeze(1) // [N, 1]
  const ends = place.eq(last).logicalOr(place.eq(last.sub(1)))
  return where(ends, paths, impossible).logsumexp(1)
}

function checkShapes(x: Tensor, labels: Tensor, blank: number): void {
  if (x.rank !== 3 || x.shape[0] === 0 || labels.rank !== 2 || labels.shape[0] !== x.shape[1]) {
    throw new ShapeError(
      `ctcLoss: logProbs must be [T, N, C] and targets [N, S]; got shapes ${formatShape(x.shape)} and ${formatShape(labels.shape)}`,
    )
  }
  const classes = x.shape[2]!
  if (labels.dtype !== 'int32')
    throw new DTypeError(`ctcLoss: targets must be int32; got ${labels.dtype}. Convert with .to('int32')`)
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ValueError(`ctcLoss: blank must be one of ${classes} classes; got ${String(blank)}`)
}

function lengthsOf(
  name: string,
  given: TensorLike | readonly number[],
  count: number,
  most: number,
  least: number,
): Tensor {
  if (Array.isArray(given)) {
    for (const length of given as readonly number[]) {
      if (Number.isInteger(length) && length >= least && length <= most) continue
      throw new ValueError(
        `ctcLoss: ${name} must be integers from ${least} to ${most}; got ${String(length)}`,
      )
    }
  }
  const lengths = Array.isArray(given)
    ? tensor(given as number[], { dtype: 'int32' })
    : toTensor('ctcLoss', given as TensorLike)
  if (sameShape(lengths.shape, [count])) return lengths
  throw new ShapeError(
    `ctcLoss: ${name} must be one per sequence, [${count}]; got ${formatShape(lengths.shape)}`,
  )
}
