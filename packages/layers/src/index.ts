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
export {
  Hardshrink,
  Hardsigmoid,
  Hardtanh,
  PReLU,
  RReLU,
  Softshrink,
  Threshold,
  type PReLUOptions,
} from './activationPiecewise.ts'
export { CELU, GLU, LogSigmoid, Softmax2d, Softmin, Softsign, Tanhshrink } from './activationSmooth.ts'
export {
  causalMask,
  MultiheadAttention,
  type AttentionCall,
  type MultiheadAttentionOptions,
} from './attention.ts'
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormLayerOptions } from './batchNorm.ts'
export { Identity, ModuleList, Sequential } from './container.ts'
export { ModuleDict, ParameterDict, ParameterList } from './containerNamed.ts'
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type PaddingMode } from './conv.ts'
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeLayerOptions,
} from './convTranspose.ts'
export type { PerDimension } from './check.ts'
export {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  GaussianNoise,
  StochasticDepth,
  VariationalDropout,
} from './dropout.ts'
export {
  Embedding,
  EmbeddingBag,
  type EmbeddingBagLayerOptions,
  type EmbeddingLayerOptions,
} from './embedding.ts'
export {
  ChannelShuffle,
  Fold,
  PixelShuffle,
  PixelUnshuffle,
  Unfold,
  Upsample,
  type PatchLayerOptions,
  type UpsampleOptions,
} from './image.ts'
export * as init from './init.ts'
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, LocalResponseNorm } from './instanceNorm.ts'
export { LazyLinear } from './lazy.ts'
export { KeyValueCache, type CachedKeys, type KeyValueCacheOptions } from './keyValueCache.ts'
export { Linear, type FloatingType, type LinearOptions } from './linear.ts'
export { Module, type Layer, type Member } from './module.ts'
export { GroupNorm, LayerNorm, RMSNorm, type NormLayerOptions, type RMSNormOptions } from './norm.ts'
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
  type PaddingAmounts,
} from './padding.ts'
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  type AvgPoolLayerOptions,
  type MaxPoolLayerOptions,
  type PoolLayerOptions,
} from './pool.ts'
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  LpPool1d,
  LpPool2d,
} from './poolAdaptive.ts'
export { spectralNorm, weightNorm, type SpectralNormOptions } from './parametrize.ts'
export {
  AlibiBias,
  LearnedPositions,
  RotaryPositions,
  SinusoidalPositions,
  type PositionOptions,
  type RotaryOptions,
} from './positions.ts'
export {
  GRU,
  LSTM,
  RNN,
  type LSTMOptions,
  type RecurrentOptions,
  type RNNOptions,
  type SequenceLengths,
} from './recurrent.ts'
export {
  GRUCell,
  LSTMCell,
  RNNCell,
  type RecurrentCellOptions,
  type RNNCellOptions,
} from './recurrentCells.ts'
export { Flatten, Unflatten } from './shape.ts'
export {
  Bilinear,
  CosineSimilarity,
  PairwiseDistance,
  type CosineSimilarityOptions,
  type PairwiseDistanceOptions,
} from './similarity.ts'
export { SqueezeExcitation, type SqueezeExcitationOptions } from './squeezeExcite.ts'
export type { LoadOptions, LoadResult, State, StateData, StateEntry } from './state.ts'
export { summary } from './summary.ts'
export {
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type DecoderMasks,
  type EncoderMasks,
  type TransformerLayerOptions,
  type EncoderCall,
  type EncoderLayerCall,
} from './transformer.ts'
