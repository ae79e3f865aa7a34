// Instructions as functions, so that emitters read like arithmetic: `f32x4.mul(x, f32x4.add(y, z))`,
// `i32.add(pointer, 16)`. Names are exactly those of the WebAssembly specification. Each function only builds an array;
// types are checked when a module is assembled. Where a scalar instruction takes operands of its own type, a plain number
// stands for a constant; vector constants are made by FunctionBuilder, which keeps them out of loops.
import type { Wat } from './wat.ts'

/** An instruction of one operand. */
export type Unary = (x: Wat) => Wat
/** An instruction of two operands. */
export type Binary = (x: Wat, y: Wat) => Wat
/** A load. The offset is in bytes and part of the instruction, so it costs nothing. */
export type Load = (address: Wat, offset?: number) => Wat
/** A store: a statement, to be given to `FunctionBuilder.emit`. */
export type Store = (address: Wat, value: Wat, offset?: number) => Wat
/** Loads one lane into a vector that keeps its other lanes. */
export type LoadLane = (lane: number, address: Wat, vector: Wat, offset?: number) => Wat
/** Stores one lane of a vector. */
export type StoreLane = (lane: number, address: Wat, vector: Wat, offset?: number) => Wat

/** The words of a text, as a type: 'add sub' becomes 'add' | 'sub'. */
type Words<Text extends string> = Text extends `${infer First} ${infer Rest}` ? First | Words<Rest> : Text

const scalarConstant =
  (type: string) =>
  (value: number | string): Wat => [`${type}.const`, value]

// An operand of a scalar instruction: numbers become constants of the instruction's own type.
const operandOf = (type: string, x: Wat): Wat => (typeof x === 'number' ? [`${type}.const`, x] : x)

function unary<Names extends string>(type: string, names: Names): Record<Words<Names>, Unary> {
  return fromNames(names, (name) => (x) => [`${type}.${name}`, x])
}

function binary<Names extends string>(type: string, names: Names): Record<Words<Names>, Binary> {
  return fromNames(names, (name) => (x, y) => [`${type}.${name}`, x, y])
}

function scalarUnary<Names extends string>(type: string, names: Names): Record<Words<Names>, Unary> {
  return fromNames(names, (name) => (x) => [`${type}.${name}`, operandOf(type, x)])
}

function scalarBinary<Names extends string>(type: string, names: Names): Record<Words<Names>, Binary> {
  return fromNames(names, (name) => (x, y) => [`${type}.${name}`, operandOf(type, x), operandOf(type, y)])
}

function loads<Names extends string>(type: string, names: Names): Record<Words<Names>, Load> {
  return fromNames(
    names,
    (name) =>
      (address, offset = 0) =>
        access(`${type}.${name}`, [], offset, [address]),
  )
}

function stores<Names extends string>(type: string, names: Names): Record<Words<Names>, Store> {
  const valueOf = (value: Wat): Wat => (type === 'v128' ? value : operandOf(type, value))
  return fromNames(
    names,
    (name) =>
      (address, value, offset = 0) =>
        access(`${type}.${name}`, [], offset, [address, valueOf(value)]),
  )
}

function laneAccesses<Names extends string>(names: Names): Record<Words<Names>, LoadLane> {
  return fromNames(
    names,
    (name) =>
      (lane, address, vector, offset = 0) =>
        access(`v128.${name}`, [lane], offset, [address, vector]),
  )
}

function access(name: string, immediates: readonly Wat[], offset: number, operands: readonly Wat[]): Wat {
  const [address, ...values] = operands
  const place = offset === 0 ? [] : [`offset=${offset}`]
  return [name, ...place, ...immediates, operandOf('i32', address!), ...values]
}

function fromNames<Names extends string, Value>(
  names: Names,
  make: (name: string) => Value,
): Record<Words<Names>, Value> {
  return Object.fromEntries(names.split(' ').map((name) => [name, make(name)])) as Record<Words<Names>, Value>
}

function lanes(shape: string): Lanes {
  const scalar = shape.startsWith('f') ? shape.slice(0, 3) : shape === 'i64x2' ? 'i64' : 'i32'
  return {
    splat: (x) => [`${shape}.splat`, operandOf(scalar, x)],
    extract_lane: (lane, x) => [`${shape}.extract_lane`, lane, x],
    replace_lane: (lane, x, value) => [`${shape}.replace_lane`, lane, x, operandOf(scalar, value)],
  }
}

interface Lanes {
  splat: Unary
  /** One lane as a scalar. */
  extract_lane: (lane: number, x: Wat) => Wat
  /** The vector with one lane replaced by a scalar. */
  replace_lane: (lane: number, x: Wat, value: Wat) => Wat
}

interface Constant {
  const: (value: number | string) => Wat
}

const integerUnary = 'eqz clz ctz popcnt extend8_s extend16_s'
const integerBinary =
  'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const toI32 = 'wrap_i64 trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u reinterpret_f32'
const loadsI32 = 'load load8_s load8_u load16_s load16_u atomic.load'
const storesI32 = 'store store8 store16 atomic.store atomic.rmw.add atomic.rmw.sub'

/** 32-bit integers: addresses, counters, conditions. */
export const i32: Constant &
  Record<Words<typeof integerUnary>, Unary> &
  Record<Words<typeof integerBinary>, Binary> &
  Record<Words<typeof toI32>, Unary> &
  Record<Words<typeof loadsI32>, Load> &
  Record<Words<typeof storesI32>, Store> = {
  const: scalarConstant('i32'),
  ...scalarUnary('i32', integerUnary),
  ...scalarBinary('i32', integerBinary),
  ...unary('i32', toI32),
  ...loads('i32', loadsI32),
  ...stores('i32', storesI32),
}

const toI64 =
  'extend_i32_s extend_i32_u trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u reinterpret_f64'
const loadsI64 = 'load load8_s load8_u load16_s load16_u load32_s load32_u'
const storesI64 = 'store store8 store16 store32'

/** 64-bit integers. */
export const i64: Constant &
  Record<Words<typeof integerUnary>, Unary> &
  Record<Words<typeof integerBinary>, Binary> &
  Record<Words<typeof toI64>, Unary> &
  Record<Words<typeof loadsI64>, Load> &
  Record<Words<typeof storesI64>, Store> = {
  const: scalarConstant('i64'),
  ...scalarUnary('i64', integerUnary),
  ...scalarBinary('i64', integerBinary),
  ...unary('i64', toI64),
  ...loads('i64', loadsI64),
  ...stores('i64', storesI64),
}

const floatUnary = 'abs neg ceil floor trunc nearest sqrt'
const floatBinary = 'add sub mul div min max eq ne lt gt le ge'
const toF32 = 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64 reinterpret_i32'
const toF64 = 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32 reinterpret_i64'

/** Single floats. */
export const f32: Constant &
  Record<Words<typeof floatUnary>, Unary> &
  Record<Words<typeof floatBinary> | 'copysign', Binary> &
  Record<Words<typeof toF32>, Unary> & { load: Load; store: Store } = {
  const: scalarConstant('f32'),
  ...scalarUnary('f32', floatUnary),
  ...scalarBinary('f32', `${floatBinary} copysign`),
  ...unary('f32', toF32),
  ...loads('f32', 'load'),
  ...stores('f32', 'store'),
}

/** Double floats. */
export const f64: Constant &
  Record<Words<typeof floatUnary>, Unary> &
  Record<Words<typeof floatBinary> | 'copysign', Binary> &
  Record<Words<typeof toF64>, Unary> & { load: Load; store: Store } = {
  const: scalarConstant('f64'),
  ...scalarUnary('f64', floatUnary),
  ...scalarBinary('f64', `${floatBinary} copysign`),
  ...unary('f64', toF64),
  ...loads('f64', 'load'),
  ...stores('f64', 'store'),
}

const toF32x4 = 'convert_i32x4_s convert_i32x4_u demote_f64x2_zero'
const toF64x2 = 'convert_low_i32x4_s convert_low_i32x4_u promote_low_f32x4'
type Fused = (x: Wat, y: Wat, z: Wat) => Wat

/**
 * Four single floats. `pmin(x, y)` is `y < x ? y : x` and `pmax(x, y)` is `x < y ? y : x`: a NaN in the first operand
 * stays, one in the second is dropped. `relaxed_madd(x, y, z)` is `x * y + z`, rounded once or twice.
 */
export const f32x4: Lanes &
  Record<Words<typeof floatUnary>, Unary> &
  Record<Words<typeof floatBinary> | 'pmin' | 'pmax', Binary> &
  Record<Words<typeof toF32x4>, Unary> & { relaxed_madd: Fused } = {
  ...lanes('f32x4'),
  ...unary('f32x4', floatUnary),
  ...binary('f32x4', `${floatBinary} pmin pmax`),
  ...unary('f32x4', toF32x4),
  relaxed_madd: (x, y, z) => ['f32x4.relaxed_madd', x, y, z],
}

/** Two double floats; see {@link f32x4} for `pmin`, `pmax` and `relaxed_madd`. */
export const f64x2: Lanes &
  Record<Words<typeof floatUnary>, Unary> &
  Record<Words<typeof floatBinary> | 'pmin' | 'pmax', Binary> &
  Record<Words<typeof toF64x2>, Unary> & { relaxed_madd: Fused } = {
  ...lanes('f64x2'),
  ...unary('f64x2', floatUnary),
  ...binary('f64x2', `${floatBinary} pmin pmax`),
  ...unary('f64x2', toF64x2),
  relaxed_madd: (x, y, z) => ['f64x2.relaxed_madd', x, y, z],
}

const i32x4Unary =
  'abs neg all_true bitmask trunc_sat_f32x4_s trunc_sat_f32x4_u trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u'
const i32x4Binary = 'add sub mul min_s min_u max_s max_u eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const shifts = 'shl shr_s shr_u'

// The distance of a vector shift is a scalar.
function vectorShifts(shape: string): Record<Words<typeof shifts>, Binary> {
  return fromNames(shifts, (name) => (x, distance) => [`${shape}.${name}`, x, operandOf('i32', distance)])
}

/** Four 32-bit integers. */
export const i32x4: Lanes &
  Record<Words<typeof i32x4Unary>, Unary> &
  Record<Words<typeof i32x4Binary> | Words<typeof shifts>, Binary> = {
  ...lanes('i32x4'),
  ...unary('i32x4', i32x4Unary),
  ...binary('i32x4', i32x4Binary),
  ...vectorShifts('i32x4'),
}

const i64x2Unary =
  'abs neg all_true bitmask extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u'
const i64x2Binary =
  'add sub mul eq ne lt_s gt_s le_s ge_s extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u'

/** Two 64-bit integers. */
export const i64x2: Lanes &
  Record<Words<typeof i64x2Unary>, Unary> &
  Record<Words<typeof i64x2Binary> | Words<typeof shifts>, Binary> = {
  ...lanes('i64x2'),
  ...unary('i64x2', i64x2Unary),
  ...binary('i64x2', i64x2Binary),
  ...vectorShifts('i64x2'),
}

const v128Loads =
  'load load8_splat load16_splat load32_splat load64_splat load32_zero load64_zero load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u'
const laneLoads = 'load8_lane load16_lane load32_lane load64_lane'
const laneStores = 'store8_lane store16_lane store32_lane store64_lane'

/** 128 bits, whatever they mean. */
export const v128: Record<Words<typeof v128Loads>, Load> & { store: Store } & Record<
    Words<typeof laneLoads>,
    LoadLane
  > &
  Record<Words<typeof laneStores>, StoreLane> & {
    not: Unary
    any_true: Unary
    and: Binary
    or: Binary
    xor: Binary
    /** `x & ~y` */
    andnot: Binary
    /** Bits of `whenSet` where `mask` has ones, of `whenClear` where it has zeros. */
    bitselect: (whenSet: Wat, whenClear: Wat, mask: Wat) => Wat
  } = {
  ...loads('v128', v128Loads),
  ...stores('v128', 'store'),
  ...laneAccesses(laneLoads),
  ...laneAccesses(laneStores),
  ...unary('v128', 'not any_true'),
  ...binary('v128', 'and or xor andnot'),
  bitselect: (whenSet, whenClear, mask) => ['v128.bitselect', whenSet, whenClear, mask],
}

/** Picks four 32-bit lanes out of eight: 0-3 are those of `x`, 4-7 those of `y`. */
export function shuffle32(x: Wat, y: Wat, order: readonly [number, number, number, number]): Wat {
  return ['i8x16.shuffle', ...order.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)), x, y]
}

/** Picks two 64-bit lanes out of four: 0 and 1 are those of `x`, 2 and 3 those of `y`. */
export function shuffle64(x: Wat, y: Wat, order: readonly [number, number]): Wat {
  return shuffle32(x, y, [2 * order[0], 2 * order[0] + 1, 2 * order[1], 2 * order[1] + 1])
}

/** Without a branch: `whenTrue` if `condition` (an i32) is not 0, else `whenFalse`. Both are computed. */
export function select(whenTrue: Wat, whenFalse: Wat, condition: Wat): Wat {
  return ['select', whenTrue, whenFalse, condition]
}
