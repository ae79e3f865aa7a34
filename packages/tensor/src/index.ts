// Tensors and Variables: creation, arithmetic, views, matrix products, random numbers and printing.
// The public face of @nabla/tensor: everything exported here is API, everything else is not.
import { installDefaultBackend } from './defaultBackend.ts'
import { installMethods } from './fluent.ts'
import { ops } from './table.ts'

// The one place where importing does something: ops become methods, and computing works without further ado. Creating
// the backend is cheap; its memory is made at first use.
installMethods(ops)
installDefaultBackend()

export {
  backendInfo,
  BackendError,
  configure,
  DTypeError,
  flush,
  inSlices,
  GradientError,
  NablaError,
  setBackend,
  ShapeError,
  startProfile,
  StaleValueError,
  ValueError,
  type DType,
  type Profile,
  type Shape,
  type TraceEvent,
  type TypedArray,
} from '@nabla/engine'
export { explain } from './explain.ts'
export type { Nested, NestedInput, NumericArray, TensorData } from './host.ts'
export {
  applyBinary,
  applyMap,
  applyUnary,
  binary,
  defineMap,
  unary,
  type BinaryOp,
  type MapRule,
  type UnaryOp,
} from './map.ts'
export {
  createOp,
  defineFree,
  defineFunction,
  defineOp,
  formula,
  numberTensor,
  toTensor,
  type Formula,
  type BatchCall,
  type BatchRule,
  type FreeFunction,
  type GradientCall,
  type GradientRule,
  type RuleInputs,
  type OpFacts,
  type OpFunction,
  type Sample,
  type TensorLike,
  type TensorOp,
  type Tolerance,
  type WrongCall,
} from './op.ts'
export type { Dims, ReduceOptions } from './ops/common.ts'
export type { PerSpatial } from './ops/spatial.ts'
export * from './ops/activation.ts'
export * from './ops/arithmetic.ts'
export * from './ops/adaptive-pool.ts'
export * from './ops/conv.ts'
export * from './ops/einsum.ts'
export * from './ops/pool.ts'
export * from './ops/scatter.ts'
export * from './ops/overwrite.ts'
export * from './ops/attention.ts'
export * from './ops/distance.ts'
export * from './ops/image.ts'
export * from './ops/indexing.ts'
export * from './ops/linalg.ts'
export * from './ops/matrix.ts'
export * from './ops/decompositions.ts'
export * from './ops/matrix-functions.ts'
export {
  complexAbs,
  complexAngle,
  complexConjugate,
  complexMul,
  imaginaryPart,
  realPart,
  toComplex,
} from './ops/complex.ts'
export * from './ops/fourier.ts'
export * from './ops/spectrogram.ts'
export * from './ops/grid.ts'
export * from './ops/selection.ts'
export * from './ops/counting.ts'
export * from './ops/arrange.ts'
export * from './ops/special-forms.ts'
export * from './ops/tensor-products.ts'
export * from './ops/normalization.ts'
export * from './ops/resize.ts'
export * from './ops/softmax.ts'
export * from './ops/sorting.ts'
export * from './ops/compare.ts'
export * from './ops/create.ts'
export * from './ops/diagonal.ts'
export * from './ops/elementwise.ts'
export * from './ops/join.ts'
export * from './ops/padding.ts'
export * from './ops/random.ts'
export * from './ops/reduce.ts'
export * from './ops/repeat.ts'
export * from './ops/scan.ts'
export * from './ops/slicing.ts'
export * from './ops/special.ts'
export * from './ops/statistics.ts'
export * from './ops/view.ts'
export * from './ops/window.ts'
export type { FormatOptions } from './print.ts'
export { SampleMaker, type SampleRange } from './samples.ts'
export { families, ops, type AnyOp } from './table.ts'
export {
  detachOp,
  isGradEnabled,
  makeHostLeaf,
  makeNode,
  noGrad,
  setGradEnabled,
  setPassing,
  Tensor,
} from './tensor.ts'
export { Parameter, Variable, type VariableOptions } from './variable.ts'
