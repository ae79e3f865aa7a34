// The scalar functions of the engine that have a fast form on four single floats, by the engine's names. Whoever prints
// expressions looks here first and falls back to lanewise.ts; arithmetic, comparison and rounding are instructions and
// need no entry.
import type { ScalarFunction } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import type { Wat } from '../wat/wat.ts'
import { exp, exp2, expm1, sigmoid } from './exp.ts'
import { cosh, erf, sinh, tanh } from './hyperbolic.ts'
import { log, log10, log1p, log2 } from './log.ts'
import { pow, rsqrt, sqrt } from './power.ts'
import { cos, sin, tan } from './trigonometric.ts'

/**
 * Writes a function inline: statements go to the builder, the result is an expression over its locals, to be used once
 * or named by `let` before any of its operands changes.
 */
export type InlineFunction = (f: FunctionBuilder, ...operands: Wat[]) => Wat

const functions = {
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sin,
  cos,
  tan,
  sinh,
  cosh,
  tanh,
  sigmoid,
  erf,
  sqrt,
  rsqrt,
  pow,
} satisfies Partial<Record<ScalarFunction, (f: FunctionBuilder, x: Wat, y: Wat) => Wat>>

/** Fast forms by name. */
export const float32Functions: Readonly<Partial<Record<ScalarFunction, InlineFunction>>> =
  functions as Partial<Record<ScalarFunction, InlineFunction>>
