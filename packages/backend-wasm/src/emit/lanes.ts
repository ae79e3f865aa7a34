// How the types of the engine lie in vectors. Kernels work on four lanes, or on two if a float64 occurs anywhere in them;
// then the 4-byte types use the lower half of a vector. A bool in a register is a mask of 32 bits, all ones or all zeros;
// in memory it is the int32 0 or 1. Read next: access.ts (memory), casts.ts, functions.ts (arithmetic).
import { operandsOf, type DType, type Expr, type Kernel } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { i64x2, shuffle32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** Lanes of every vector of a kernel. */
export type LaneCount = 2 | 4

/** Two if anything in the kernel is a float64, else four. */
export function laneCount(kernel: Kernel): LaneCount {
  const seen = new Set<Expr>()
  const hasFloat64 = (expr: Expr): boolean => {
    if (seen.has(expr)) return false
    seen.add(expr)
    return expr.dtype === 'float64' || operandsOf(expr).some(hasFloat64)
  }
  const double =
    kernel.args.some((arg) => arg.dtype === 'float64') ||
    kernel.stages.some((stage) => stage.accumulators.some((a) => hasFloat64(a.value))) ||
    kernel.stores.some((store) => hasFloat64(store.value))
  return double ? 2 : 4
}

/** A constant in all lanes. An integer wraps to 32 bits, as every number handed over does; a bool is true if not 0. */
export function splatConstant(f: FunctionBuilder, dtype: DType, value: number): Local {
  switch (dtype) {
    case 'float32':
      return f.f32x4(value)
    case 'float64':
      return f.f64x2(value)
    case 'int32':
      return f.i32x4(value | 0)
    case 'bool':
      return f.i32x4(value !== 0 ? -1 : 0)
  }
}

/** `whenTrue` in the lanes where the mask is set, `whenFalse` elsewhere; both of type `dtype`, the mask a bool. */
export function choose(dtype: DType, mask: Wat, whenTrue: Wat, whenFalse: Wat): Wat {
  return v128.bitselect(whenTrue, whenFalse, dtype === 'float64' ? widenMask(mask) : mask)
}

/** A bool as a mask for float64 lanes. */
export function widenMask(mask: Wat): Wat {
  return i64x2.extend_low_i32x4_s(mask)
}

/** A mask of float64 lanes as a bool. */
export function narrowMask(f: FunctionBuilder, mask: Wat): Wat {
  const named = f.once(mask)
  return shuffle32(named, named, [0, 2, 0, 2])
}
