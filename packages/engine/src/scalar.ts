// The closed set of scalar functions that expressions may call. Each states how many operands it takes, which types it
// is defined on, what it returns, about what it costs beside an addition, and a reference in float64. Backends print the
// ones they have a fast form for and call the reference for the rest; the interpreter calls nothing else. So a new
// function is complete on every backend the moment it stands here. Special functions live in special.ts.
import { digamma, erf, erfInverse, i0, lgamma, roundHalfToEven } from './special.ts'

/** Facts about one scalar function. */
export interface ScalarFacts {
  readonly arity: 1 | 2 | 3
  /** `floating`: integers are brought to float32 first. `number`: bools become int32. `any`: taken as they are. */
  readonly domain: 'floating' | 'number' | 'any'
  /** `same` as the operands', or always bool. */
  readonly result: 'same' | 'bool'
  /** Rough cost beside one addition; the planner recomputes what is cheap instead of storing it. */
  readonly cost: number
  /** The function in float64. Bools are 0 and 1; int32 results are wrapped by the caller. */
  readonly reference: (a: number, b: number, c: number) => number
}

const floating = (
  cost: number,
  reference: (a: number, b: number) => number,
  arity: 1 | 2 = 1,
): ScalarFacts => ({
  arity,
  domain: 'floating',
  result: 'same',
  cost,
  reference,
})
const numeric = (arity: 1 | 2, cost: number, reference: (a: number, b: number) => number): ScalarFacts => ({
  arity,
  domain: 'number',
  result: 'same',
  cost,
  reference,
})
const comparison = (test: (a: number, b: number) => boolean): ScalarFacts => ({
  arity: 2,
  domain: 'any',
  result: 'bool',
  cost: 1,
  reference: (a, b) => (test(a, b) ? 1 : 0),
})

/** NaN wins on either side, as in PyTorch's maximum (a plain comparison would drop it). */
const maximum = (a: number, b: number): number => (a > b || a !== a ? a : b)
/** IEEE 754 pow: JavaScript's gives NaN for 1 and -1 to an infinite power. */
const power = (a: number, b: number): number =>
  b === 0 || a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b
const minimum = (a: number, b: number): number => (a < b || a !== a ? a : b)

// Where a / b itself rounds up to a whole number (1 / 0.1), its floor would be one too high.
function floorDivide(a: number, b: number): number {
  const quotient = a / b
  const rest = a % b
  if (rest === 0 || !Number.isFinite(quotient) || rest !== rest) return Math.floor(quotient)
  const whole = Math.round((a - rest) / b)
  return rest < 0 !== b < 0 ? whole - 1 : whole
}

/** Name of a scalar function. */
export type ScalarFunction =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'neg'
  | 'abs'
  | 'sign'
  | 'max'
  | 'min'
  | 'pow'
  | 'remainder'
  | 'fmod'
  | 'floorDivide'
  | 'square'
  | 'reciprocal'
  | 'sqrt'
  | 'rsqrt'
  | 'hypot'
  | 'copysign'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'round'
  | 'exp'
  | 'exp2'
  | 'expm1'
  | 'log'
  | 'log2'
  | 'log10'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'atan2'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'sigmoid'
  | 'erf'
  | 'erfInverse'
  | 'lgamma'
  | 'digamma'
  | 'i0'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'xor'
  | 'shiftLeft'
  | 'shiftRight'
  | 'where'

/** Every scalar function by name. */
export const scalarFunctions: Readonly<Record<ScalarFunction, ScalarFacts>> = {
  // arithmetic
  add: numeric(2, 1, (a, b) => a + b),
  sub: numeric(2, 1, (a, b) => a - b),
  mul: numeric(2, 1, (a, b) => a * b),
  div: floating(4, (a, b) => a / b, 2),
  neg: numeric(1, 1, (a) => -a),
  abs: numeric(1, 1, Math.abs),
  sign: numeric(1, 2, (a) => (a !== a ? a : a > 0 ? 1 : a < 0 ? -1 : 0)),
  max: numeric(2, 2, maximum),
  min: numeric(2, 2, minimum),
  pow: numeric(2, 30, power),
  /** Remainder with the sign of the divisor (Python's %); int32: 0 where the divisor is 0. */
  remainder: numeric(2, 8, (a, b) => {
    const r = a % b
    return r !== 0 && r < 0 !== b < 0 ? r + b : r
  }),
  /** Remainder with the sign of the dividend (C's fmod). */
  fmod: numeric(2, 8, (a, b) => a % b),
  /** Quotient rounded down, by way of the remainder, so that a = b * floorDivide(a, b) + remainder(a, b). */
  floorDivide: numeric(2, 6, floorDivide),
  square: numeric(1, 1, (a) => a * a),
  reciprocal: floating(4, (a) => 1 / a),
  sqrt: floating(4, Math.sqrt),
  rsqrt: floating(6, (a) => 1 / Math.sqrt(a)),
  hypot: floating(8, (a, b) => Math.hypot(a, b), 2),
  copysign: floating(2, (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)), 2),
  // rounding
  floor: numeric(1, 1, Math.floor),
  ceil: numeric(1, 1, Math.ceil),
  trunc: numeric(1, 1, Math.trunc),
  round: numeric(1, 1, roundHalfToEven),
  // exponentials and logarithms
  exp: floating(12, Math.exp),
  exp2: floating(12, (a) => 2 ** a),
  expm1: floating(14, Math.expm1),
  log: floating(14, Math.log),
  log2: floating(14, Math.log2),
  log10: floating(14, Math.log10),
  log1p: floating(16, Math.log1p),
  // trigonometric and hyperbolic
  sin: floating(20, Math.sin),
  cos: floating(20, Math.cos),
  tan: floating(40, Math.tan),
  asin: floating(40, Math.asin),
  acos: floating(40, Math.acos),
  atan: floating(40, Math.atan),
  atan2: floating(40, Math.atan2, 2),
  sinh: floating(20, Math.sinh),
  cosh: floating(20, Math.cosh),
  tanh: floating(10, Math.tanh),
  asinh: floating(40, Math.asinh),
  acosh: floating(40, Math.acosh),
  atanh: floating(40, Math.atanh),
  // special functions
  sigmoid: floating(16, (a) => 1 / (1 + Math.exp(-a))),
  erf: floating(12, erf),
  erfInverse: floating(60, erfInverse),
  lgamma: floating(80, lgamma),
  digamma: floating(80, digamma),
  i0: floating(60, i0),
  // comparison: false wherever a NaN takes part, but `ne` is true there
  eq: comparison((a, b) => a === b),
  ne: comparison((a, b) => a !== b),
  lt: comparison((a, b) => a < b),
  le: comparison((a, b) => a <= b),
  gt: comparison((a, b) => a > b),
  ge: comparison((a, b) => a >= b),
  // bits: of int32, or logic on bools
  and: { arity: 2, domain: 'any', result: 'same', cost: 1, reference: (a, b) => a & b },
  or: { arity: 2, domain: 'any', result: 'same', cost: 1, reference: (a, b) => a | b },
  xor: { arity: 2, domain: 'any', result: 'same', cost: 1, reference: (a, b) => a ^ b },
  shiftLeft: { arity: 2, domain: 'number', result: 'same', cost: 4, reference: (a, b) => a << b },
  shiftRight: { arity: 2, domain: 'number', result: 'same', cost: 4, reference: (a, b) => a >> b },
  // choice: where(condition, ifTrue, ifFalse)
  where: { arity: 3, domain: 'any', result: 'same', cost: 1, reference: (a, b, c) => (a !== 0 ? b : c) },
}

/** Powers of integers, exact modulo 2^32. Negative powers are truncated toward zero like any quotient; 0 gives 0. */
function integerPower(base: number, exponent: number): number {
  if (exponent < 0) {
    if (base === 1) return 1
    return base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0
  }
  let result = 1
  let power = base
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, power)
    power = Math.imul(power, power)
  }
  return result
}

/**
 * The functions on int32 operands: wrapped to 32 bits. Those whose float64 result would lose low bits before it could be
 * wrapped have a definition of their own.
 */
export const int32References: Readonly<Record<ScalarFunction, ScalarFacts['reference']>> = {
  ...(Object.fromEntries(
    Object.entries(scalarFunctions).map(([name, { reference }]) => [
      name,
      (a: number, b: number, c: number) => reference(a, b, c) | 0,
    ]),
  ) as Record<ScalarFunction, ScalarFacts['reference']>),
  mul: Math.imul,
  square: (a) => Math.imul(a, a),
  pow: integerPower,
}
