// The reductions of a stage on vectors: what they begin with, how a value joins, how lanes are brought together. NaN wins
// in max and min, as in the scalar functions of the same name. Of bools, sum and max mean "any", prod and min mean "all".
import type { DType, ReduceFunction } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64x2, i32x4, shuffle32, shuffle64, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { extreme } from './functions.ts'
import { splatConstant, type LaneCount } from './lanes.ts'

/** The identity: what a reduction over nothing gives. */
export function identityOf(f: FunctionBuilder, fn: ReduceFunction, dtype: DType): Local {
  const least = { float32: -Infinity, float64: -Infinity, int32: -(2 ** 31), bool: 0 }[dtype]
  const most = { float32: Infinity, float64: Infinity, int32: 2 ** 31 - 1, bool: 1 }[dtype]
  return splatConstant(f, dtype, { sum: 0, prod: 1, max: least, min: most }[fn])
}

/** The accumulated value after one more. */
export function combine(
  f: FunctionBuilder,
  fn: ReduceFunction,
  dtype: DType,
  accumulated: Wat,
  value: Wat,
): Wat {
  if (dtype === 'bool')
    return fn === 'sum' || fn === 'max' ? v128.or(accumulated, value) : v128.and(accumulated, value)
  if (dtype === 'int32') {
    return { sum: i32x4.add, prod: i32x4.mul, max: i32x4.max_s, min: i32x4.min_s }[fn](accumulated, value)
  }
  const float = dtype === 'float64' ? f64x2 : f32x4
  if (fn === 'sum') return float.add(accumulated, value)
  if (fn === 'prod') return float.mul(accumulated, value)
  return extreme(f, float, fn === 'max' ? float.pmax : float.pmin, value, accumulated)
}

/** One vector from several, in a tree, so that the order of additions is fixed and short. */
export function combineAll(
  f: FunctionBuilder,
  fn: ReduceFunction,
  dtype: DType,
  parts: readonly Local[],
): Local {
  let level = parts
  while (level.length > 1) {
    const next: Local[] = []
    for (let i = 0; i + 1 < level.length; i += 2) {
      next.push(f.let(combine(f, fn, dtype, level[i]!, level[i + 1]!), 'sum'))
    }
    if (level.length % 2 === 1) next.push(level.at(-1)!)
    level = next
  }
  return level[0]!
}

/** All lanes of a vector brought together; every lane of the result holds the whole. */
export function combineLanes(
  f: FunctionBuilder,
  fn: ReduceFunction,
  dtype: DType,
  vector: Local,
  lanes: LaneCount,
): Local {
  const fold = (x: Local, swapped: Wat): Local => f.let(combine(f, fn, dtype, x, swapped), 'total')
  if (dtype === 'float64') return fold(vector, shuffle64(vector, vector, [1, 0]))
  const halves = lanes === 4 ? fold(vector, shuffle32(vector, vector, [2, 3, 0, 1])) : vector
  return fold(halves, shuffle32(halves, halves, [1, 0, 3, 2]))
}
