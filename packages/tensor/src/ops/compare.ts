// Comparison, logic, bits and choice. Comparisons and logic give bools; bools hold 0 or 1 and have no derivative.
// A comparison with NaN is false, except that NaN differs from everything.
import { call, cast, DTypeError, type Expr } from '@nabla/engine'
import {
  applyBinary,
  applyMap,
  applyUnary,
  binary,
  binaryWrong,
  defineMap,
  floatingOf,
  unary,
  type BinaryOp,
  type UnaryOp,
} from '../map.ts'
import { toTensor, type OpFunction, type Sample, type TensorLike } from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import type { Tensor } from '../tensor.ts'

function comparison(name: string, expr: (a: Expr, b: Expr) => Expr): BinaryOp {
  return binary(name, { expr, gradient: 'none', samples: comparisonSamples })
}

function comparisonSamples(make: SampleMaker): Sample[] {
  return [
    [make.integers([3, 5], 0, 3), make.integers([5], 0, 3)],
    [make.strided([2, 3]), make.real([2, 1])],
    [make.real([4]), 0.5],
    [make.values([1, NaN, Infinity, -Infinity]), make.values([1, NaN, Infinity, 0])],
    [make.real([0]), make.real([])],
    [make.bools([4]), make.bools([4])],
  ]
}

/** a == b. */
export const eq: BinaryOp = comparison('eq', (a, b) => call('eq', a, b))
/** a != b. */
export const ne: BinaryOp = comparison('ne', (a, b) => call('ne', a, b))
/** a < b. */
export const lt: BinaryOp = comparison('lt', (a, b) => call('lt', a, b))
/** a <= b. */
export const le: BinaryOp = comparison('le', (a, b) => call('le', a, b))
/** a > b. */
export const gt: BinaryOp = comparison('gt', (a, b) => call('gt', a, b))
/** a >= b. */
export const ge: BinaryOp = comparison('ge', (a, b) => call('ge', a, b))

function logic(name: string, expr: (a: Expr, b: Expr) => Expr): BinaryOp {
  return binary(name, {
    expr: (a, b) => expr(cast(a, 'bool'), cast(b, 'bool')),
    gradient: 'none',
    samples: (make) => [
      [make.bools([2, 5]), make.bools([5])],
      [make.integers([4], -1, 2), make.bools([])],
      [make.real([0]), make.bools([1])],
    ],
  })
}

/** Whether both differ from 0. */
export const logicalAnd: BinaryOp = logic('logicalAnd', (a, b) => call('and', a, b))
/** Whether at least one differs from 0. */
export const logicalOr: BinaryOp = logic('logicalOr', (a, b) => call('or', a, b))
/** Whether exactly one differs from 0. */
export const logicalXor: BinaryOp = logic('logicalXor', (a, b) => call('xor', a, b))

/** Whether x is 0. */
export const logicalNot: UnaryOp = unary('logicalNot', {
  expr: (x) => call('eq', x, 0),
  gradient: 'none',
  samples: (make) => [[make.bools([2, 5])], [make.integers([4], -1, 2)], [make.bools([])]],
})

/** Whether x is not a number. */
export const isNaN: UnaryOp = unary('isNaN', {
  expr: (x) => call('ne', x, x),
  gradient: 'none',
  samples: specialSamples,
})

/** Whether x is neither infinite nor NaN. */
export const isFinite: UnaryOp = unary('isFinite', {
  expr: (x) => call('lt', call('abs', floatingOf(x)), Infinity),
  gradient: 'none',
  samples: specialSamples,
})

/** Whether x is Infinity or -Infinity. */
export const isInf: UnaryOp = unary('isInf', {
  expr: (x) => call('eq', call('abs', floatingOf(x)), Infinity),
  gradient: 'none',
  samples: specialSamples,
})

function specialSamples(make: SampleMaker): Sample[] {
  return [
    [make.values([1, NaN, Infinity, -Infinity, 0, -0])],
    [make.strided([2, 3])],
    [make.values([NaN], [])],
  ]
}

/** How close counts as equal: |a - b| <= atol + rtol * |b|. */
export interface CloseOptions {
  /** Default 1e-5. */
  rtol?: number
  /** Default 1e-8. */
  atol?: number
}

/** Whether elements are equal up to rounding. Equal infinities are close, NaN is close to nothing. */
export const isClose: OpFunction<(a: TensorLike, b: TensorLike, options?: CloseOptions) => Tensor> =
  defineMap({
    name: 'isClose',
    expr: ([a, b, rtol, atol]) => {
      const room = call('add', atol!, call('mul', rtol!, call('abs', b!)))
      const near = call('le', call('abs', call('sub', a!, b!)), room)
      const finite = call('lt', call('abs', floatingOf(b!)), Infinity)
      return call('or', call('eq', a!, b!), call('and', near, finite))
    },
    gradient: 'none',
    call: (op) => (a, b, options) => applyMap(op, [a, b, options?.rtol ?? 1e-5, options?.atol ?? 1e-8]),
    samples: (make) => [[make.values([1, 2, Infinity, NaN]), make.values([1.000001, 2.1, Infinity, NaN])]],
    wrong: binaryWrong('isClose'),
  })

function bits(name: string, fn: 'and' | 'or' | 'xor' | 'shiftLeft' | 'shiftRight'): BinaryOp {
  return defineMap({
    name,
    expr: ([a, b]) => call(fn, a!, b!),
    gradient: 'none',
    call: (op) => (a: TensorLike, b: TensorLike) => {
      const left = typeof a === 'number' ? a : toTensor(name, a)
      const right = typeof b === 'number' ? b : toTensor(name, b)
      for (const operand of [left, right]) {
        const whole =
          typeof operand === 'number'
            ? Number.isInteger(operand)
            : operand.dtype === 'int32' || operand.dtype === 'bool'
        if (!whole) {
          throw new DTypeError(
            `${name}: operands must be int32 or bool; got ${String(operand)}. Convert with .to('int32')`,
          )
        }
      }
      return applyBinary(op, left, right)
    },
    samples: (make) => [
      [make.integers([2, 5], 0, 30), make.integers([5], 0, 5)],
      [make.integers([4], 0, 30), 3],
    ],
    wrong: [
      {
        args: (make) => [make.real([2]), 1],
        error: 'DTypeError',
        message: new RegExp(`${name}: operands must be int32 or bool`),
      },
    ],
  })
}

/** Bits set in both. */
export const bitwiseAnd: BinaryOp = bits('bitwiseAnd', 'and')
/** Bits set in either. */
export const bitwiseOr: BinaryOp = bits('bitwiseOr', 'or')
/** Bits set in one alone. */
export const bitwiseXor: BinaryOp = bits('bitwiseXor', 'xor')
/** Bits moved up by b places. */
export const bitwiseLeftShift: BinaryOp = bits('bitwiseLeftShift', 'shiftLeft')
/** Bits moved down by b places; the sign stays. */
export const bitwiseRightShift: BinaryOp = bits('bitwiseRightShift', 'shiftRight')

/** Bits exchanged; of bools: not. */
export const bitwiseNot: OpFunction<(x: TensorLike) => Tensor> = defineMap({
  name: 'bitwiseNot',
  expr: ([x]) => (x!.dtype === 'bool' ? call('eq', x!, 0) : call('xor', x!, -1)),
  gradient: 'none',
  call: (op) => (value) => {
    const x = toTensor('bitwiseNot', value)
    if (x.dtype !== 'int32' && x.dtype !== 'bool')
      throw new DTypeError(`bitwiseNot: needs int32 or bool; got ${x.dtype}`)
    return applyUnary(op, x)
  },
  samples: (make) => [[make.integers([5], -9, 9)], [make.bools([4])]],
  wrong: [
    { args: (make) => [make.real([2])], error: 'DTypeError', message: /bitwiseNot: needs int32 or bool/ },
  ],
})

/**
 * `a` where the condition holds, `b` elsewhere; all three broadcast. As a method: `condition.where(a, b)`.
 * @throws DTypeError when the condition is no bool
 */
export const where: OpFunction<(condition: TensorLike, a: TensorLike, b: TensorLike) => Tensor> = defineMap({
  name: 'where',
  expr: ([condition, a, b]) => call('where', condition!, a!, b!),
  gradient: [
    () => null,
    (upstream, _, condition) => condition.where(upstream, 0),
    (upstream, _, condition) => condition.where(0, upstream),
  ],
  call: (op) => (test, a, b) => {
    const condition = toTensor('where', test)
    if (condition.dtype !== 'bool') {
      throw new DTypeError(
        `where: the condition must be bool, for example x.gt(0); got ${condition.dtype}. The order is condition.where(a, b)`,
      )
    }
    return applyMap(op, [condition, a, b], undefined, 1)
  },
  samples: (make) => [
    [make.bools([2, 5]), make.real([2, 5]), make.real([5])],
    [make.bools([3, 1]), make.strided([3, 4]), 0],
    [make.bools([]), 1, make.real([2])],
    [make.bools([0]), make.real([0]), make.real([])],
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), 1, 2],
      error: 'DTypeError',
      message: /where: the condition must be bool/,
    },
    { args: (make) => [make.bools([2]), make.real([3]), 2], error: 'ShapeError', message: /where: shapes/ },
  ],
})
