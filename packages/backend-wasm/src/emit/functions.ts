// Scalar functions as vector code, by type. What has an instruction or a few of them stands here; transcendental functions
// of float32 come from math/; whatever is left calls the engine's reference lane by lane, so no function is ever missing.
// Where the reference and the obvious instruction differ, a comment says how.
import { scalarFunctions, type CallExpr, type DType, type Expr, type ScalarFunction } from '@nabla/engine'
import { integerPrefix } from '../hostFunctions.ts'
import { float32Functions } from '../math/float32.ts'
import { divide, remainder } from '../math/integer.ts'
import { lanewise } from '../math/lanewise.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64, f64x2, i32, i32x4, v128 } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'
import { convert } from './casts.ts'
import { choose, narrowMask, type LaneCount } from './lanes.ts'

type VectorFunction = (f: FunctionBuilder, ...operands: Wat[]) => Wat
type Table = Readonly<Partial<Record<ScalarFunction, VectorFunction>>>

/** The value of a call whose operands are these vectors. */
export function emitCall(
  f: FunctionBuilder,
  expr: CallExpr,
  operands: readonly Wat[],
  lanes: LaneCount,
): Wat {
  const { fn, args } = expr
  if (fn === 'where') return choose(expr.dtype, operands[0]!, operands[1]!, operands[2]!)
  const dtype = args[0]!.dtype
  const short = emitShortcut(f, expr, operands)
  if (short !== null) return short
  const known = tables[dtype][fn]
  if (known !== undefined) return known(f, ...operands)
  return emitByReference(f, fn, dtype, operands, lanes)
}

/** Forms that are cheaper because an operand is a constant of the operation. */
function emitShortcut(f: FunctionBuilder, expr: CallExpr, operands: readonly Wat[]): Wat | null {
  const dtype = expr.args[0]!.dtype
  const float = dtype === 'float32' ? f32x4 : dtype === 'float64' ? f64x2 : null
  if (float === null) return null
  if (expr.fn === 'pow') {
    const power = constantOf(expr.args[1]!)
    const x = operands[0]!
    if (power === 1) return x
    if (power === -1) return float.div(floatOf(f, dtype, 1), x)
    const named = f.once(x)
    if (power === 2) return float.mul(named, named)
    if (power === 3) return float.mul(float.mul(named, named), named)
    return null
  }
  if (expr.fn !== 'max' && expr.fn !== 'min') return null
  // A NaN stays when it is in the first operand of pmax, so one instruction does if the second cannot be NaN: relu, clamp.
  const pick = expr.fn === 'max' ? float.pmax : float.pmin
  if (isNumeral(expr.args[1]!)) return pick(operands[0]!, operands[1]!)
  if (isNumeral(expr.args[0]!)) return pick(operands[1]!, operands[0]!)
  return null
}

function constantOf(expr: Expr): number | null {
  return expr.kind === 'constant' ? expr.value : null
}

/** Whether an expression is a constant other than NaN. */
function isNumeral(expr: Expr): boolean {
  return expr.kind === 'constant' && !Number.isNaN(expr.value)
}

function floatOf(f: FunctionBuilder, dtype: DType, value: number): Wat {
  return dtype === 'float64' ? f.f64x2(value) : f.f32x4(value)
}

/** Arithmetic that float32 and float64 write alike. */
function floatTable(
  float: typeof f32x4 | typeof f64x2,
  splat: (f: FunctionBuilder, value: number) => Wat,
  toBool: (f: FunctionBuilder, mask: Wat) => Wat,
): Table {
  const comparison =
    (compare: (x: Wat, y: Wat) => Wat): VectorFunction =>
    (f, x, y) =>
      toBool(f, compare(x!, y!))
  return {
    add: (_, x, y) => float.add(x!, y!),
    sub: (_, x, y) => float.sub(x!, y!),
    mul: (_, x, y) => float.mul(x!, y!),
    div: (_, x, y) => float.div(x!, y!),
    neg: (_, x) => float.neg(x!),
    abs: (_, x) => float.abs(x!),
    square: (f, x) => {
      const named = f.once(x!)
      return float.mul(named, named)
    },
    reciprocal: (f, x) => float.div(splat(f, 1), x!),
    sqrt: (_, x) => float.sqrt(x!),
    rsqrt: (f, x) => float.div(splat(f, 1), float.sqrt(x!)),
    floor: (_, x) => float.floor(x!),
    ceil: (_, x) => float.ceil(x!),
    trunc: (_, x) => float.trunc(x!),
    round: (_, x) => float.nearest(x!),
    copysign: (f, x, y) => v128.bitselect(y!, x!, splat(f, -0)),
    sign: (f, x) => {
      const named = f.once(x!)
      const ones = v128.bitselect(
        splat(f, 1),
        v128.and(splat(f, -1), float.lt(named, splat(f, 0))),
        float.gt(named, splat(f, 0)),
      )
      return v128.or(ones, float.ne(named, named))
    },
    max: (f, x, y) => extreme(f, float, float.pmax, x!, y!),
    min: (f, x, y) => extreme(f, float, float.pmin, x!, y!),
    eq: comparison(float.eq),
    ne: comparison(float.ne),
    lt: comparison(float.lt),
    le: comparison(float.le),
    gt: comparison(float.gt),
    ge: comparison(float.ge),
  }
}

/**
 * Maximum or minimum in which a NaN on either side wins. pmax(y, x) is NaN where y is; all ones are a NaN, so those from
 * "x is no number" supply the rest. Three instructions, where f32x4.max becomes eight on x64.
 */
export function extreme(
  f: FunctionBuilder,
  float: typeof f32x4 | typeof f64x2,
  pick: (first: Wat, second: Wat) => Wat,
  x: Wat,
  y: Wat,
): Wat {
  const named = f.once(x)
  return v128.or(pick(y, named), float.ne(named, named))
}

const float32Table: Table = {
  ...float32Functions,
  ...floatTable(
    f32x4,
    (f, value) => f.f32x4(value),
    (_, mask) => mask,
  ),
}

const float64Table: Table = floatTable(f64x2, (f, value) => f.f64x2(value), narrowMask)

/** Integers wrap as 32-bit integers do. */
const int32Table: Table = {
  add: (_, x, y) => i32x4.add(x!, y!),
  sub: (_, x, y) => i32x4.sub(x!, y!),
  mul: (_, x, y) => i32x4.mul(x!, y!),
  neg: (_, x) => i32x4.neg(x!),
  abs: (_, x) => i32x4.abs(x!),
  sign: (f, x) => i32x4.max_s(i32x4.min_s(x!, f.i32x4(1)), f.i32x4(-1)),
  max: (_, x, y) => i32x4.max_s(x!, y!),
  min: (_, x, y) => i32x4.min_s(x!, y!),
  square: (f, x) => {
    const named = f.once(x!)
    return i32x4.mul(named, named)
  },
  floorDivide: (f, x, y) => divide(f, 'floor', x!, y!),
  remainder: (f, x, y) => remainder(f, 'floor', x!, y!),
  fmod: (f, x, y) => remainder(f, 'trunc', x!, y!),
  floor: (_, x) => x!,
  ceil: (_, x) => x!,
  trunc: (_, x) => x!,
  round: (_, x) => x!,
  eq: (_, x, y) => i32x4.eq(x!, y!),
  ne: (_, x, y) => i32x4.ne(x!, y!),
  lt: (_, x, y) => i32x4.lt_s(x!, y!),
  le: (_, x, y) => i32x4.le_s(x!, y!),
  gt: (_, x, y) => i32x4.gt_s(x!, y!),
  ge: (_, x, y) => i32x4.ge_s(x!, y!),
  and: (_, x, y) => v128.and(x!, y!),
  or: (_, x, y) => v128.or(x!, y!),
  xor: (_, x, y) => v128.xor(x!, y!),
  shiftLeft: (f, x, y) => shiftLanes(f, i32.shl, x!, y!),
  shiftRight: (f, x, y) => shiftLanes(f, i32.shr_s, x!, y!),
}

/** Bools are masks: as unsigned numbers true is the larger one. */
const boolTable: Table = {
  eq: (_, x, y) => i32x4.eq(x!, y!),
  ne: (_, x, y) => v128.xor(x!, y!),
  lt: (_, x, y) => i32x4.lt_u(x!, y!),
  le: (_, x, y) => i32x4.le_u(x!, y!),
  gt: (_, x, y) => i32x4.gt_u(x!, y!),
  ge: (_, x, y) => i32x4.ge_u(x!, y!),
  and: (_, x, y) => v128.and(x!, y!),
  or: (_, x, y) => v128.or(x!, y!),
  xor: (_, x, y) => v128.xor(x!, y!),
}

const tables: Readonly<Record<DType, Table>> = {
  float32: float32Table,
  float64: float64Table,
  int32: int32Table,
  bool: boolTable,
}

/** Vector shifts move all lanes by one distance; here each lane has its own. */
function shiftLanes(f: FunctionBuilder, shift: (x: Wat, distance: Wat) => Wat, x: Wat, distance: Wat): Wat {
  const [value, by] = [f.once(x), f.once(distance)]
  let result: Wat = value
  for (let lane = 0; lane < 4; lane++) {
    const shifted = shift(i32x4.extract_lane(lane, value), i32x4.extract_lane(lane, by))
    result = i32x4.replace_lane(lane, result, shifted)
  }
  return result
}

/** Calls the engine's reference for each lane. */
function emitByReference(
  f: FunctionBuilder,
  fn: ScalarFunction,
  dtype: DType,
  operands: readonly Wat[],
  lanes: LaneCount,
): Wat {
  if (dtype === 'float32') return lanewise(f, 'f32x4', fn, ...operands)
  if (dtype === 'float64') return lanewise(f, 'f64x2', fn, ...operands)
  if (dtype === 'bool') {
    const integers = operands.map((operand) => convert(f, operand, 'bool', 'int32'))
    const known = int32Table[fn]
    const result = known?.(f, ...integers) ?? emitByReference(f, fn, 'int32', integers, lanes)
    return scalarFunctions[fn].result === 'bool' ? result : convert(f, result, 'int32', 'bool')
  }
  const named = operands.map((operand) => f.once(operand))
  let result: Wat = named[0]!
  for (let lane = 0; lane < lanes; lane++) {
    const values = named.map((operand) => f64.convert_i32_s(i32x4.extract_lane(lane, operand)))
    result = i32x4.replace_lane(lane, result, i32.trunc_sat_f64_s(f.callHost(integerPrefix + fn, ...values)))
  }
  return result
}
