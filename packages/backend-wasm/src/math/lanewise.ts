// The way out for functions without a fast form: each lane is handed to a JavaScript function in float64. All float64
// transcendental functions are computed so, and the rare float32 lanes that a fast form cannot do. The functions are the
// engine's references (scalarFunctions[name].reference), imported by name; the builder records which ones are called.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32, f32x4, f64, f64x2 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** Applies host function `name` to each lane of one, two or three vectors. */
export function lanewise(
  f: FunctionBuilder,
  shape: 'f32x4' | 'f64x2',
  name: string,
  ...operands: readonly Wat[]
): Wat {
  const vectors = operands.map((operand) => f.once(operand))
  const lane = shape === 'f32x4' ? laneOfFloat32 : laneOfFloat64
  const vector = shape === 'f32x4' ? f32x4 : f64x2
  const lanes = shape === 'f32x4' ? 4 : 2
  let result = vector.splat(lane(f, 0, name, vectors))
  for (let i = 1; i < lanes; i++) result = vector.replace_lane(i, result, lane(f, i, name, vectors))
  return result
}

function laneOfFloat32(f: FunctionBuilder, lane: number, name: string, vectors: readonly Local[]): Wat {
  const operands = vectors.map((vector) => f64.promote_f32(f32x4.extract_lane(lane, vector)))
  return f32.demote_f64(f.callHost(name, ...operands))
}

function laneOfFloat64(f: FunctionBuilder, lane: number, name: string, vectors: readonly Local[]): Wat {
  return f.callHost(name, ...vectors.map((vector) => f64x2.extract_lane(lane, vector)))
}
