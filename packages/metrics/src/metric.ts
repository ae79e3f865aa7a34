// What all metrics share: state in Variables, so that an update is a few more nodes of the step's own plan and nothing is
// read back before `compute`. Read next: mean.ts, the shortest metric; labels.ts, how predictions become classes.
import { engine, hostArray, sizeOf, ValueError } from '@nabla/engine'
import { noGrad, Tensor, tensor, Variable, type Shape, type TensorData, type TensorLike } from '@nabla/tensor'

/** What updates take: tensors, or data that tensors are made from. */
export type MetricInput = TensorLike | TensorData

/**
 * A quantity that is collected over batches.
 *
 * An update costs no reading: it is computed together with whatever is computed next, in a training loop the optimizer's
 * step. Counts are exact up to 2^31.
 */
export abstract class Metric<Result = number> {
  /** How logs call it. */
  abstract readonly name: string
  #state: Record<string, Variable> | null = null

  /** Takes in one batch. */
  abstract update(...batch: never[]): void

  /** What the batches since the last {@link reset} amount to. @throws ValueError when there was none */
  abstract compute(): Promise<Result>

  /** Forgets all batches. */
  reset(): void {
    for (const variable of Object.values(this.#state ?? {})) variable.dispose()
    this.#state = null
  }

  /** Adds amounts to the state, which starts from zeros in the shapes of the first amounts. */
  protected add(dtype: 'int32' | 'float64', amounts: () => Record<string, Tensor>): void {
    this.collect(dtype, amounts, (state, amount) => state.add(amount))
  }

  /** Joins amounts with the state, which starts from zeros in the shapes of the first amounts. */
  protected collect(
    dtype: 'int32' | 'float64',
    amounts: () => Record<string, Tensor>,
    join: (state: Tensor, amount: Tensor) => Tensor,
  ): void {
    const waiting = Object.values(this.#state ?? {})
    // An update that nothing has computed yet holds its whole batch. In an evaluation nothing else would compute it, so
    // the next update does: never more than one batch waits.
    if (waiting.some((variable) => variable.current.variable !== variable)) engine.flush()
    const collected = noGrad(amounts)
    this.#state ??= Object.fromEntries(
      Object.entries(collected).map(([key, amount]) => [
        key,
        zeros(amount.shape, dtype, `${this.name}.${key}`),
      ]),
    )
    for (const [key, amount] of Object.entries(collected)) {
      const variable = this.#state[key]!
      variable.value = noGrad(() => join(variable.value, amount.to(dtype)))
    }
  }

  /** The state on the host, all of one moment. */
  protected async read(): Promise<Record<string, Float64Array>> {
    if (this.#state === null) {
      throw new ValueError(`${this.name}: there is nothing to compute; call update() with a batch before`)
    }
    const entries = Object.entries(this.#state).map(async ([key, variable]) => {
      return [key, Float64Array.from(await variable.read())] as const
    })
    return Object.fromEntries(await Promise.all(entries))
  }
}

/** A metric of predictions beside targets, as a training loop collects them. */
export interface PredictionMetric<Result = number> extends Metric<Result> {
  update(predictions: MetricInput, targets: MetricInput): void
}

/** The tensor that an input means. @throws ValueError for anything that is none */
export function toInput(input: MetricInput): Tensor {
  if (input instanceof Tensor) return input
  if (input instanceof Variable) return input.value
  return tensor(input)
}

function zeros(shape: Shape, dtype: 'int32' | 'float64', name: string): Variable {
  return new Variable(hostArray(dtype, sizeOf(shape)), { shape, name })
}
