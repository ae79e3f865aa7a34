// What types do to values. The interpreter computes everything in float64; this file says how int32 wraps, what a
// conversion gives, what a stored value becomes, and how reductions begin and go on.
import type { DType } from '../dtype.ts'
import type { ReduceFunction } from '../kernel.ts'
import { int32References, scalarFunctions, type ScalarFunction } from '../scalar.ts'

/** A scalar function as the interpreter calls it. */
export type Operation = (a: number, b: number, c: number) => number

/** A function of one value. */
export type Conversion = (value: number) => number

const same: Conversion = (value) => value
const toBool: Conversion = (value) => (value === 0 ? 0 : 1)

/** A scalar function on operands of a type. Integers wrap to 32 bits. */
export function operationOf(fn: ScalarFunction, dtype: DType): Operation {
  return dtype === 'int32' ? int32References[fn] : scalarFunctions[fn].reference
}

/** Truncates toward zero and stops at the ends of the range; NaN becomes 0. */
function truncateToInt32(value: number): number {
  if (value >= 2 ** 31 - 1) return 2 ** 31 - 1
  if (value <= -(2 ** 31)) return -(2 ** 31)
  return value | 0
}

/** The conversion of a value from one type to another. @param round whether float32 is rounded to */
export function conversionOf(from: DType, to: DType, round: boolean): Conversion {
  switch (to) {
    case 'float64':
      return same
    case 'float32':
      return round ? Math.fround : same
    case 'int32':
      return from === 'float32' || from === 'float64' ? truncateToInt32 : same
    case 'bool':
      return toBool
  }
}

/** What a number or a constant of a type is. Unlike a conversion, an int32 wraps: it is a bit pattern handed over. */
export function leafValue(value: number, dtype: DType, round: boolean): number {
  if (dtype === 'int32') return value | 0
  return conversionOf('float64', dtype, round)(value)
}

/** What becomes of a value of a type when it is stored. */
export function storingOf(dtype: DType, round: boolean): Conversion {
  switch (dtype) {
    case 'float64':
      return same
    case 'float32':
      return round ? Math.fround : same
    case 'int32':
      return (value) => value | 0
    case 'bool':
      return toBool
  }
}

/** What a reduction over nothing gives. */
export function identityOf(fn: ReduceFunction, dtype: DType): number {
  const lowest = { float32: -Infinity, float64: -Infinity, int32: -(2 ** 31), bool: 0 }
  const highest = { float32: Infinity, float64: Infinity, int32: 2 ** 31 - 1, bool: 1 }
  switch (fn) {
    case 'sum':
      return 0
    case 'prod':
      return 1
    case 'max':
      return lowest[dtype]
    case 'min':
      return highest[dtype]
  }
}

/** How one more value joins a reduction. Of bools, sum and max are "any", prod and min are "all". */
export function combinationOf(
  fn: ReduceFunction,
  dtype: DType,
): (accumulated: number, value: number) => number {
  if (dtype === 'bool') return fn === 'sum' || fn === 'max' ? (a, b) => a | b : (a, b) => a & b
  const functions = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const
  const operation = operationOf(functions[fn], dtype)
  return (accumulated, value) => operation(accumulated, value, 0)
}
