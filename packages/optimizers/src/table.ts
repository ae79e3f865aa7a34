// Optimizers by name, for programs that choose one by a string.
import { lookUp } from '@nabla/engine'
import type { Parameter } from '@nabla/tensor'
import { Adadelta } from './adadelta.ts'
import { Adagrad } from './adagrad.ts'
import { Adam, AdamW } from './adam.ts'
import { Adamax } from './adamax.ts'
import { NAdam } from './nadam.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import { RAdam } from './radam.ts'
import { RMSprop } from './rmsprop.ts'
import { SGD } from './sgd.ts'

/** Names that {@link optimizer} knows. */
export type OptimizerName =
  | 'sgd'
  | 'adam'
  | 'adamw'
  | 'rmsprop'
  | 'adagrad'
  | 'adadelta'
  | 'adamax'
  | 'nadam'
  | 'radam'

/** Makes an optimizer of some parameters. Hyperparameters that are left out have the default of the algorithm. */
export type OptimizerFactory = (
  parameters: Iterable<Parameter>,
  options?: Partial<OptimizerOptions>,
) => AnyOptimizer

/** An optimizer of any kind. */
export type AnyOptimizer = Optimizer<OptimizerOptions>

const optimizers: Readonly<Record<OptimizerName, OptimizerFactory>> = {
  sgd: (parameters, options) => new SGD(parameters, options),
  adam: (parameters, options) => new Adam(parameters, options),
  adamw: (parameters, options) => new AdamW(parameters, options),
  rmsprop: (parameters, options) => new RMSprop(parameters, options),
  adagrad: (parameters, options) => new Adagrad(parameters, options),
  adadelta: (parameters, options) => new Adadelta(parameters, options),
  adamax: (parameters, options) => new Adamax(parameters, options),
  nadam: (parameters, options) => new NAdam(parameters, options),
  radam: (parameters, options) => new RAdam(parameters, options),
}

/** The optimizer of a name, ready to be given parameters. @throws ValueError listing the known names */
export function optimizer(name: OptimizerName): OptimizerFactory {
  return lookUp('optimizer', name, optimizers)
}
