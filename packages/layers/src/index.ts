// Neural network layers for Nabla tensors, and the Module they are made of.
// The public face of @nabla/layers: everything exported here is API, everything else is not.
export {
  activation,
  ELU,
  GELU,
  Hardswish,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
  type ActivationName,
} from './activation.ts'
export { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from './batchNorm.ts'
export { Identity, ModuleList, Sequential } from './container.ts'
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type PaddingMode } from './conv.ts'
export type { PerDimension } from './check.ts'
export { Dropout } from './dropout.ts'
export { Embedding, type EmbeddingLayerOptions } from './embedding.ts'
export * as init from './init.ts'
export { Linear, type FloatingType, type LinearOptions } from './linear.ts'
export { Module, type Layer, type Member } from './module.ts'
export {
  GroupNorm,
  InstanceNorm2d,
  LayerNorm,
  RMSNorm,
  type NormLayerOptions,
  type RMSNormOptions,
} from './norm.ts'
export {
  AdaptiveAvgPool2d,
  AvgPool2d,
  MaxPool1d,
  MaxPool2d,
  type AvgPoolLayerOptions,
  type PoolLayerOptions,
} from './pool.ts'
export { Flatten, Unflatten } from './shape.ts'
export type { LoadOptions, LoadResult, State, StateData, StateEntry } from './state.ts'
export { summary } from './summary.ts'
