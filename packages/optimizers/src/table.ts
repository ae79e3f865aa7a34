// Optimizers by name, for programs that choose one by a string.
import { lookUp } from '@nabla/engine'
import type { Parameter } from '@nabla/tensor'
import { Adadelta } from './adadelta.ts'
import { Adafactor } from './adafactor.ts'
import { Adagrad } from './adagrad.ts'
import { Adam, AdamW } from './adam.ts'
import { Adamax } from './adamax.ts'
import { ASGD } from './asgd.ts'
import { LAMB, LARS } from './largeBatch.ts'
import { Lion } from './lion.ts'
import { NAdam } from './nadam.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import { RAdam } from './radam.ts'
import { RMSprop } from './rmsprop.ts'
import { Rprop } from './rprop.ts'
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
  | 'adafactor'
  | 'asgd'
  | 'lamb'
  | 'lars'
  | 'lion'
  | 'rprop'

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
  adafactor: (parameters, options) => new Adafactor(parameters, options),
  asgd: (parameters, options) => new ASGD(parameters, options),
  lamb: (parameters, options) => new LAMB(parameters, options),
  lars: (parameters, options) => new LARS(parameters, options),
  lion: (parameters, options) => new Lion(parameters, options),
  rprop: (parameters, options) => new Rprop(parameters, options),
}

/** The optimizer of a name, ready to be given parameters. @throws ValueError listing the known names */
export function optimizer(name: OptimizerName): OptimizerFactory {
  return lookUp('optimizer', name, optimizers)
}
