// One step of training and one of evaluation: what happens to a single batch. A step that fails leaves the model, the
// optimizer and the gradients as they were. On the main thread of a page the computing is done in slices. Read next: trainer.ts.
import { backward } from '@nabla/autograd'
import type { Batch } from '@nabla/data'
import { engine, flush, formatShape, inSlices, ShapeError } from '@nabla/engine'
import type { Layer } from '@nabla/layers'
import type { Loss } from '@nabla/losses'
import { clipGradNorm, type AnyOptimizer } from '@nabla/optimizers'
import { noGrad, type Tensor } from '@nabla/tensor'
import { fieldOf } from './batches.ts'
import type { Meters } from './meters.ts'

/** Everything a step needs. */
export interface StepParts {
  readonly model: Layer
  readonly loss: Loss
  readonly optimizer: AnyOptimizer
  readonly meters: Meters
  /** The largest norm of the gradients; null for any. */
  readonly maxNorm: number | null
}

/**
 * Trains on a batch.
 * @param share what part of the gradient this batch is: 1, or less where several batches make one step
 * @param updates whether the model is changed now, or more batches are to come before that
 */
export async function trainStep(
  parts: StepParts,
  batch: Batch,
  share: number,
  updates: boolean,
): Promise<void> {
  const { model, optimizer, meters, maxNorm } = parts
  try {
    await inSlices(() => {
      setMode(model, true)
      const { loss, predictions, targets } = forward(parts, batch, 'fit')
      backward(share === 1 ? loss : loss.mul(share))
      meters.update(loss, predictions, targets)
      if (!updates) return
      if (maxNorm !== null) clipGradNorm(model.parameters(), maxNorm)
      optimizer.step()
    })
    if (!updates) await computeGradients(model)
  } catch (error) {
    abandon(parts)
    throw error
  }
}

/** Measures the model on a batch. */
export async function evaluateStep(parts: StepParts, batch: Batch): Promise<void> {
  await inSlices(() => {
    setMode(parts.model, false)
    noGrad(() => {
      const { loss, predictions, targets } = forward(parts, batch, 'evaluate')
      parts.meters.update(loss, predictions, targets)
    })
    flush()
  })
}

/** What the model makes of a batch. */
export function predictStep(model: Layer, x: Tensor): Tensor {
  setMode(model, false)
  return noGrad(() => model.forward(x))
}

interface Outcome {
  readonly loss: Tensor
  readonly predictions: Tensor
  readonly targets: Tensor
}

function forward(parts: StepParts, batch: Batch, caller: string): Outcome {
  const targets = fieldOf(caller, batch, 'y')
  const predictions = parts.model.forward(fieldOf(caller, batch, 'x'))
  const loss = parts.loss(predictions, targets)
  if (loss.size !== 1) {
    throw new ShapeError(
      `${caller}: the loss must be one number for the whole batch; got shape ${formatShape(loss.shape)}. Take its mean()`,
    )
  }
  return { loss, predictions, targets }
}

// Other code may use the model whenever training breathes, so its mode is made sure of at each step. Only the outermost
// module is looked at: going through all of them takes longer than many a step.
function setMode(model: Layer, training: boolean): void {
  if (model.training !== training) model.train(training)
}

// Gradients that wait for further batches are computed now: otherwise all their batches would have to stay until the end.
async function computeGradients(model: Layer): Promise<void> {
  const gradients = model.parameters().flatMap(({ grad }) => (grad === null ? [] : [grad]))
  await engine.realizeInSlices(gradients)
}

// What a failed forward has already assigned (running statistics, say) must not be written by the next flush.
function abandon({ model, optimizer, meters }: StepParts): void {
  meters.reset()
  optimizer.zeroGrad()
  for (const variable of [...model.parameters(), ...model.buffers()]) {
    engine.forgetAssignment(variable)
    variable.revert()
  }
}
