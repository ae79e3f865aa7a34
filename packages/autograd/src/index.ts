// Gradients of Nabla tensors: of any order, per example, with less memory, watched, checked.
// The public face of @nabla/autograd: everything exported here is API, everything else is not.
export { noGrad } from '@nabla/tensor'
export { BatchingError, type Randomness } from './batching.ts'
export { AnomalyError, detectAnomaly, type AnomalyOptions } from './anomaly.ts'
export { checkpoint } from './checkpoint.ts'
export { registerHook, type GradientHook } from './hooks.ts'
export { customGradient, type CustomRule } from './custom.ts'
export { gradcheck, type CheckedFunction, type GradcheckOptions } from './gradcheck.ts'
export {
  backward,
  grad,
  valueAndGrad,
  type Differentiable,
  type GradOptions,
  type ScalarFunction,
} from './gradients.ts'
export { vmap, type VmapOptions } from './vmap.ts'
export { hessian, hvp, jacobian, jvp, vjp, type TensorFunction } from './transforms.ts'
