// The instructions this backend can write, as a table of facts: binary opcode, operand types, result type, immediates.
// Rows list instructions whose opcodes follow one another, so a row reads like the table in the specification
// (WebAssembly 2.0 with threads and the relaxed multiply-add, appendix "Index of Instructions"). Control flow and
// variables, whose types depend on context, are not here: assembler.ts writes those. Reference types, tables, exceptions
// and 64-bit atomics are absent because no kernel needs them.

/** A type of a value on the WebAssembly stack. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** What follows an opcode in the binary form besides operands. */
export type Immediate =
  | 'none'
  | 'number' // the value of a scalar constant
  | 'vector' // the sixteen bytes of a vector constant
  | 'memory' // alignment and offset
  | 'memoryLane' // alignment, offset and lane
  | 'lane'
  | 'shuffle' // sixteen byte numbers
  | 'zero' // one reserved zero byte (a memory index)
  | 'twoZeros'

/** Everything the assembler knows about one instruction. */
export interface Instruction {
  readonly name: string
  /** 0, or the first byte of a two-part opcode. */
  readonly prefix: number
  readonly opcode: number
  readonly operands: readonly ValueType[]
  readonly result: ValueType | undefined
  readonly immediate: Immediate
  /** Logarithm to base 2 of the natural alignment, for memory accesses. */
  readonly alignment: number
}

/** Opcode of the first instruction, signature, names, and immediates if there are any. */
type Row = readonly [
  first: number,
  signature: string,
  names: string,
  immediate?: Immediate,
  alignment?: number,
]

const unprefixed: readonly Row[] = [
  [0x00, '', 'unreachable'],
  [0x01, '', 'nop'],
  // memory
  [0x28, 'i32 -> i32', 'i32.load', 'memory', 2],
  [0x29, 'i32 -> i64', 'i64.load', 'memory', 3],
  [0x2a, 'i32 -> f32', 'f32.load', 'memory', 2],
  [0x2b, 'i32 -> f64', 'f64.load', 'memory', 3],
  [0x2c, 'i32 -> i32', 'i32.load8_s i32.load8_u', 'memory', 0],
  [0x2e, 'i32 -> i32', 'i32.load16_s i32.load16_u', 'memory', 1],
  [0x30, 'i32 -> i64', 'i64.load8_s i64.load8_u', 'memory', 0],
  [0x32, 'i32 -> i64', 'i64.load16_s i64.load16_u', 'memory', 1],
  [0x34, 'i32 -> i64', 'i64.load32_s i64.load32_u', 'memory', 2],
  [0x36, 'i32 i32', 'i32.store', 'memory', 2],
  [0x37, 'i32 i64', 'i64.store', 'memory', 3],
  [0x38, 'i32 f32', 'f32.store', 'memory', 2],
  [0x39, 'i32 f64', 'f64.store', 'memory', 3],
  [0x3a, 'i32 i32', 'i32.store8', 'memory', 0],
  [0x3b, 'i32 i32', 'i32.store16', 'memory', 1],
  [0x3c, 'i32 i64', 'i64.store8', 'memory', 0],
  [0x3d, 'i32 i64', 'i64.store16', 'memory', 1],
  [0x3e, 'i32 i64', 'i64.store32', 'memory', 2],
  [0x3f, '-> i32', 'memory.size', 'zero'],
  [0x40, 'i32 -> i32', 'memory.grow', 'zero'],
  // constants
  [0x41, '-> i32', 'i32.const', 'number'],
  [0x42, '-> i64', 'i64.const', 'number'],
  [0x43, '-> f32', 'f32.const', 'number'],
  [0x44, '-> f64', 'f64.const', 'number'],
  // comparison
  [0x45, 'i32 -> i32', 'i32.eqz'],
  [
    0x46,
    'i32 i32 -> i32',
    'i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u',
  ],
  [0x50, 'i64 -> i32', 'i64.eqz'],
  [
    0x51,
    'i64 i64 -> i32',
    'i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u',
  ],
  [0x5b, 'f32 f32 -> i32', 'f32.eq f32.ne f32.lt f32.gt f32.le f32.ge'],
  [0x61, 'f64 f64 -> i32', 'f64.eq f64.ne f64.lt f64.gt f64.le f64.ge'],
  // integer arithmetic
  [0x67, 'i32 -> i32', 'i32.clz i32.ctz i32.popcnt'],
  [0x6a, 'i32 i32 -> i32', 'i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u'],
  [0x71, 'i32 i32 -> i32', 'i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr'],
  [0x79, 'i64 -> i64', 'i64.clz i64.ctz i64.popcnt'],
  [0x7c, 'i64 i64 -> i64', 'i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u'],
  [0x83, 'i64 i64 -> i64', 'i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr'],
  // floating arithmetic
  [0x8b, 'f32 -> f32', 'f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt'],
  [0x92, 'f32 f32 -> f32', 'f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign'],
  [0x99, 'f64 -> f64', 'f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt'],
  [0xa0, 'f64 f64 -> f64', 'f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign'],
  // conversion
  [0xa7, 'i64 -> i32', 'i32.wrap_i64'],
  [0xa8, 'f32 -> i32', 'i32.trunc_f32_s i32.trunc_f32_u'],
  [0xaa, 'f64 -> i32', 'i32.trunc_f64_s i32.trunc_f64_u'],
  [0xac, 'i32 -> i64', 'i64.extend_i32_s i64.extend_i32_u'],
  [0xae, 'f32 -> i64', 'i64.trunc_f32_s i64.trunc_f32_u'],
  [0xb0, 'f64 -> i64', 'i64.trunc_f64_s i64.trunc_f64_u'],
  [0xb2, 'i32 -> f32', 'f32.convert_i32_s f32.convert_i32_u'],
  [0xb4, 'i64 -> f32', 'f32.convert_i64_s f32.convert_i64_u'],
  [0xb6, 'f64 -> f32', 'f32.demote_f64'],
  [0xb7, 'i32 -> f64', 'f64.convert_i32_s f64.convert_i32_u'],
  [0xb9, 'i64 -> f64', 'f64.convert_i64_s f64.convert_i64_u'],
  [0xbb, 'f32 -> f64', 'f64.promote_f32'],
  [0xbc, 'f32 -> i32', 'i32.reinterpret_f32'],
  [0xbd, 'f64 -> i64', 'i64.reinterpret_f64'],
  [0xbe, 'i32 -> f32', 'f32.reinterpret_i32'],
  [0xbf, 'i64 -> f64', 'f64.reinterpret_i64'],
  [0xc0, 'i32 -> i32', 'i32.extend8_s i32.extend16_s'],
  [0xc2, 'i64 -> i64', 'i64.extend8_s i64.extend16_s i64.extend32_s'],
]

const bulk: readonly Row[] = [
  [0x00, 'f32 -> i32', 'i32.trunc_sat_f32_s i32.trunc_sat_f32_u'],
  [0x02, 'f64 -> i32', 'i32.trunc_sat_f64_s i32.trunc_sat_f64_u'],
  [0x04, 'f32 -> i64', 'i64.trunc_sat_f32_s i64.trunc_sat_f32_u'],
  [0x06, 'f64 -> i64', 'i64.trunc_sat_f64_s i64.trunc_sat_f64_u'],
  [0x0a, 'i32 i32 i32', 'memory.copy', 'twoZeros'],
  [0x0b, 'i32 i32 i32', 'memory.fill', 'zero'],
]

const vector: readonly Row[] = [
  // memory
  [0x00, 'i32 -> v128', 'v128.load', 'memory', 4],
  [0x01, 'i32 -> v128', 'v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u', 'memory', 3],
  [0x05, 'i32 -> v128', 'v128.load32x2_s v128.load32x2_u', 'memory', 3],
  [0x07, 'i32 -> v128', 'v128.load8_splat', 'memory', 0],
  [0x08, 'i32 -> v128', 'v128.load16_splat', 'memory', 1],
  [0x09, 'i32 -> v128', 'v128.load32_splat', 'memory', 2],
  [0x0a, 'i32 -> v128', 'v128.load64_splat', 'memory', 3],
  [0x0b, 'i32 v128', 'v128.store', 'memory', 4],
  [0x54, 'i32 v128 -> v128', 'v128.load8_lane', 'memoryLane', 0],
  [0x55, 'i32 v128 -> v128', 'v128.load16_lane', 'memoryLane', 1],
  [0x56, 'i32 v128 -> v128', 'v128.load32_lane', 'memoryLane', 2],
  [0x57, 'i32 v128 -> v128', 'v128.load64_lane', 'memoryLane', 3],
  [0x58, 'i32 v128', 'v128.store8_lane', 'memoryLane', 0],
  [0x59, 'i32 v128', 'v128.store16_lane', 'memoryLane', 1],
  [0x5a, 'i32 v128', 'v128.store32_lane', 'memoryLane', 2],
  [0x5b, 'i32 v128', 'v128.store64_lane', 'memoryLane', 3],
  [0x5c, 'i32 -> v128', 'v128.load32_zero', 'memory', 2],
  [0x5d, 'i32 -> v128', 'v128.load64_zero', 'memory', 3],
  // constants and the movement of lanes
  [0x0c, '-> v128', 'v128.const', 'vector'],
  [0x0d, 'v128 v128 -> v128', 'i8x16.shuffle', 'shuffle'],
  [0x0e, 'v128 v128 -> v128', 'i8x16.swizzle'],
  [0x0f, 'i32 -> v128', 'i8x16.splat i16x8.splat i32x4.splat'],
  [0x12, 'i64 -> v128', 'i64x2.splat'],
  [0x13, 'f32 -> v128', 'f32x4.splat'],
  [0x14, 'f64 -> v128', 'f64x2.splat'],
  [0x15, 'v128 -> i32', 'i8x16.extract_lane_s i8x16.extract_lane_u', 'lane'],
  [0x17, 'v128 i32 -> v128', 'i8x16.replace_lane', 'lane'],
  [0x18, 'v128 -> i32', 'i16x8.extract_lane_s i16x8.extract_lane_u', 'lane'],
  [0x1a, 'v128 i32 -> v128', 'i16x8.replace_lane', 'lane'],
  [0x1b, 'v128 -> i32', 'i32x4.extract_lane', 'lane'],
  [0x1c, 'v128 i32 -> v128', 'i32x4.replace_lane', 'lane'],
  [0x1d, 'v128 -> i64', 'i64x2.extract_lane', 'lane'],
  [0x1e, 'v128 i64 -> v128', 'i64x2.replace_lane', 'lane'],
  [0x1f, 'v128 -> f32', 'f32x4.extract_lane', 'lane'],
  [0x20, 'v128 f32 -> v128', 'f32x4.replace_lane', 'lane'],
  [0x21, 'v128 -> f64', 'f64x2.extract_lane', 'lane'],
  [0x22, 'v128 f64 -> v128', 'f64x2.replace_lane', 'lane'],
  // comparison: each lane becomes all ones or all zeros
  [0x23, 'v128 v128 -> v128', 'i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u'],
  [0x29, 'v128 v128 -> v128', 'i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u'],
  [0x2d, 'v128 v128 -> v128', 'i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u'],
  [0x33, 'v128 v128 -> v128', 'i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u'],
  [0x37, 'v128 v128 -> v128', 'i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u'],
  [0x3d, 'v128 v128 -> v128', 'i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u'],
  [0x41, 'v128 v128 -> v128', 'f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge'],
  [0x47, 'v128 v128 -> v128', 'f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge'],
  [0xd6, 'v128 v128 -> v128', 'i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s'],
  // bits
  [0x4d, 'v128 -> v128', 'v128.not'],
  [0x4e, 'v128 v128 -> v128', 'v128.and v128.andnot v128.or v128.xor'],
  [0x52, 'v128 v128 v128 -> v128', 'v128.bitselect'],
  [0x53, 'v128 -> i32', 'v128.any_true'],
  // 8-bit lanes
  [0x60, 'v128 -> v128', 'i8x16.abs i8x16.neg i8x16.popcnt'],
  [0x63, 'v128 -> i32', 'i8x16.all_true i8x16.bitmask'],
  [0x65, 'v128 v128 -> v128', 'i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u'],
  [0x6b, 'v128 i32 -> v128', 'i8x16.shl i8x16.shr_s i8x16.shr_u'],
  [
    0x6e,
    'v128 v128 -> v128',
    'i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u',
  ],
  [0x76, 'v128 v128 -> v128', 'i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u'],
  [0x7b, 'v128 v128 -> v128', 'i8x16.avgr_u'],
  // 16-bit lanes
  [0x7c, 'v128 -> v128', 'i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u'],
  [0x80, 'v128 -> v128', 'i16x8.abs i16x8.neg'],
  [0x82, 'v128 v128 -> v128', 'i16x8.q15mulr_sat_s'],
  [0x83, 'v128 -> i32', 'i16x8.all_true i16x8.bitmask'],
  [0x85, 'v128 v128 -> v128', 'i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u'],
  [0x87, 'v128 -> v128', 'i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s'],
  [0x89, 'v128 -> v128', 'i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u'],
  [0x8b, 'v128 i32 -> v128', 'i16x8.shl i16x8.shr_s i16x8.shr_u'],
  [
    0x8e,
    'v128 v128 -> v128',
    'i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u',
  ],
  [0x95, 'v128 v128 -> v128', 'i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u'],
  [0x9b, 'v128 v128 -> v128', 'i16x8.avgr_u'],
  [0x9c, 'v128 v128 -> v128', 'i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s'],
  [0x9e, 'v128 v128 -> v128', 'i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u'],
  // 32-bit lanes
  [0x7e, 'v128 -> v128', 'i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u'],
  [0xa0, 'v128 -> v128', 'i32x4.abs i32x4.neg'],
  [0xa3, 'v128 -> i32', 'i32x4.all_true i32x4.bitmask'],
  [0xa7, 'v128 -> v128', 'i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s'],
  [0xa9, 'v128 -> v128', 'i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u'],
  [0xab, 'v128 i32 -> v128', 'i32x4.shl i32x4.shr_s i32x4.shr_u'],
  [0xae, 'v128 v128 -> v128', 'i32x4.add'],
  [0xb1, 'v128 v128 -> v128', 'i32x4.sub'],
  [0xb5, 'v128 v128 -> v128', 'i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s'],
  [0xbc, 'v128 v128 -> v128', 'i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s'],
  [0xbe, 'v128 v128 -> v128', 'i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u'],
  // 64-bit lanes
  [0xc0, 'v128 -> v128', 'i64x2.abs i64x2.neg'],
  [0xc3, 'v128 -> i32', 'i64x2.all_true i64x2.bitmask'],
  [0xc7, 'v128 -> v128', 'i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s'],
  [0xc9, 'v128 -> v128', 'i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u'],
  [0xcb, 'v128 i32 -> v128', 'i64x2.shl i64x2.shr_s i64x2.shr_u'],
  [0xce, 'v128 v128 -> v128', 'i64x2.add'],
  [0xd1, 'v128 v128 -> v128', 'i64x2.sub'],
  [0xd5, 'v128 v128 -> v128', 'i64x2.mul'],
  [0xdc, 'v128 v128 -> v128', 'i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s'],
  [0xde, 'v128 v128 -> v128', 'i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u'],
  // floating lanes
  [0x5e, 'v128 -> v128', 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [0x67, 'v128 -> v128', 'f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest'],
  [0xe0, 'v128 -> v128', 'f32x4.abs f32x4.neg'],
  [0xe3, 'v128 -> v128', 'f32x4.sqrt'],
  [
    0xe4,
    'v128 v128 -> v128',
    'f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax',
  ],
  [0x74, 'v128 -> v128', 'f64x2.ceil f64x2.floor'],
  [0x7a, 'v128 -> v128', 'f64x2.trunc'],
  [0x94, 'v128 -> v128', 'f64x2.nearest'],
  [0xec, 'v128 -> v128', 'f64x2.abs f64x2.neg'],
  [0xef, 'v128 -> v128', 'f64x2.sqrt'],
  [
    0xf0,
    'v128 v128 -> v128',
    'f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax',
  ],
  [0xf8, 'v128 -> v128', 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u'],
  [0xfa, 'v128 -> v128', 'f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [0xfc, 'v128 -> v128', 'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero'],
  [0xfe, 'v128 -> v128', 'f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u'],
  // relaxed: fused or not, as the machine likes
  [
    0x105,
    'v128 v128 v128 -> v128',
    'f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd',
  ],
]

const atomic: readonly Row[] = [
  [0x00, 'i32 i32 -> i32', 'memory.atomic.notify', 'memory', 2],
  [0x01, 'i32 i32 i64 -> i32', 'memory.atomic.wait32', 'memory', 2],
  [0x03, '', 'atomic.fence', 'zero'],
  [0x10, 'i32 -> i32', 'i32.atomic.load', 'memory', 2],
  [0x17, 'i32 i32', 'i32.atomic.store', 'memory', 2],
  [0x1e, 'i32 i32 -> i32', 'i32.atomic.rmw.add', 'memory', 2],
  [0x25, 'i32 i32 -> i32', 'i32.atomic.rmw.sub', 'memory', 2],
  [0x2c, 'i32 i32 -> i32', 'i32.atomic.rmw.and', 'memory', 2],
  [0x33, 'i32 i32 -> i32', 'i32.atomic.rmw.or', 'memory', 2],
  [0x3a, 'i32 i32 -> i32', 'i32.atomic.rmw.xor', 'memory', 2],
  [0x41, 'i32 i32 -> i32', 'i32.atomic.rmw.xchg', 'memory', 2],
  [0x48, 'i32 i32 i32 -> i32', 'i32.atomic.rmw.cmpxchg', 'memory', 2],
]

/** Every plain instruction by name. */
export const instructions: ReadonlyMap<string, Instruction> = readTables()

function readTables(): Map<string, Instruction> {
  const result = new Map<string, Instruction>()
  const tables = [
    { prefix: 0, rows: unprefixed },
    { prefix: 0xfc, rows: bulk },
    { prefix: 0xfd, rows: vector },
    { prefix: 0xfe, rows: atomic },
  ]
  for (const { prefix, rows } of tables) {
    for (const [first, signature, names, immediate = 'none', alignment = 0] of rows) {
      const [before = '', after = ''] = signature.split('->').map((side) => side.trim())
      const operands = before === '' ? [] : (before.split(' ') as ValueType[])
      const type = after === '' ? undefined : (after as ValueType)
      names.split(' ').forEach((name, i) => {
        result.set(name, { name, prefix, opcode: first + i, operands, result: type, immediate, alignment })
      })
    }
  }
  return result
}
