// Scalar expressions: what one lane of a kernel computes. An op of kind `map` is a function from expressions to an
// expression; the planner inlines producers into consumers, and a backend prints the result. The set of scalar
// functions is closed and lives in scalar.ts, each with a float64 reference, so a backend that has no fast form of one
// can always call it. Read next: scalar.ts, then kernel.ts.
import { promote, type DType } from './dtype.ts'
import { scalarFunctions, type ScalarFunction } from './scalar.ts'

/** One scalar value inside a kernel. Expressions are immutable and shared: a kernel's body is a graph of them. */
export type Expr = LoadExpr | NumberExpr | ConstantExpr | AccumulatorExpr | CallExpr | CastExpr

/** An element read through argument `arg` of the kernel (for a virtual argument: the position itself, as int32). */
export interface LoadExpr {
  readonly kind: 'load'
  readonly arg: number
  readonly dtype: DType
}

/** A number handed over at each run (R2): it is no part of the kernel's code. */
export interface NumberExpr {
  readonly kind: 'number'
  readonly index: number
  readonly dtype: DType
}

/** A number that belongs to the operation itself, such as the 0.5 of GELU. Part of the code. */
export interface ConstantExpr {
  readonly kind: 'constant'
  readonly value: number
  readonly dtype: DType
}

/** The result of accumulator `index` of stage `stage`: one value per row. */
export interface AccumulatorExpr {
  readonly kind: 'accumulator'
  readonly stage: number
  readonly index: number
  readonly dtype: DType
}

/** A scalar function applied to values. */
export interface CallExpr {
  readonly kind: 'call'
  readonly fn: ScalarFunction
  readonly args: readonly Expr[]
  readonly dtype: DType
}

/** A conversion. To bool: not equal to zero. From floating to int32: truncated toward zero, saturating, NaN is 0. */
export interface CastExpr {
  readonly kind: 'cast'
  readonly arg: Expr
  readonly dtype: DType
}

/** A constant of an operation's own formula. */
export function constant(value: number, dtype: DType): Expr {
  return { kind: 'constant', value, dtype }
}

/** Converts an expression; nothing happens when it has the type already. */
export function cast(arg: Expr, dtype: DType): Expr {
  if (arg.dtype === dtype) return arg
  if (arg.kind === 'constant' && dtype !== 'bool') return constant(arg.value, dtype)
  return { kind: 'cast', arg, dtype }
}

/**
 * Applies a scalar function. Operands are brought to one type first (bool < int32 < float32 < float64); a plain number
 * takes the type of the other operands.
 */
export function call(fn: ScalarFunction, ...operands: (Expr | number)[]): Expr {
  const facts = scalarFunctions[fn]
  // `where` chooses by its first operand, which does not take part in the promotion of the other two.
  const valuesFrom = fn === 'where' ? 1 : 0
  let dtype: DType | undefined
  for (const operand of operands.slice(valuesFrom)) {
    if (typeof operand === 'number') continue
    dtype = dtype === undefined ? operand.dtype : promote(dtype, operand.dtype)
  }
  let common = dtype ?? 'float32'
  if (facts.domain === 'floating' && (common === 'int32' || common === 'bool')) common = 'float32'
  if (facts.domain === 'number' && common === 'bool') common = 'int32'
  const args = operands.map((operand, i) => {
    if (typeof operand === 'number') return constant(operand, common)
    return cast(operand, i < valuesFrom ? 'bool' : common)
  })
  return { kind: 'call', fn, args, dtype: facts.result === 'bool' ? 'bool' : common }
}

/** The direct operands of an expression. */
export function operandsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'call') return expr.args
  if (expr.kind === 'cast') return [expr.arg]
  return []
}
