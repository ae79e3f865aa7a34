// Expressions as programs: each distinct expression of a kernel's body becomes one step that computes one register, in
// an order in which operands come first. A shared part is computed once, and nothing walks the expressions again at run
// time. Read next: kernel.ts, which runs programs at every position.
import { operandsOf, type Expr } from '../expr.ts'
import type { Kernel } from '../kernel.ts'
import { conversionOf, leafValue, operationOf } from './values.ts'

/** What the programs of one kernel read: filled in by kernel.ts as it walks. */
export interface Frame {
  /** Cells of each argument; nothing for positions. */
  readonly cells: Float64Array[]
  /** Per argument, the cell of the current element; for a position argument, its value. */
  readonly positions: Float64Array
  /** The numbers of this run. */
  readonly numbers: Float64Array
  /** Results of the stages so far, per stage. */
  readonly accumulators: readonly Float64Array[]
}

/** A list of expressions, compiled. */
export interface Program {
  /** Computes all of them at the frame's present position. */
  run(): void
  /** The value of expression `index`, after a run. */
  result(index: number): number
}

/** Compiles expressions that are wanted together. @param round whether float32 constants and casts are rounded */
export function compileProgram(
  exprs: readonly Expr[],
  kernel: Kernel,
  frame: Frame,
  round: boolean,
): Program {
  const registers = new Map<Expr, number>()
  const values: number[] = []
  const steps: (() => void)[] = []

  const emit = (expr: Expr): void => {
    const target = values.push(0) - 1
    registers.set(expr, target)
    if (expr.kind === 'constant') {
      values[target] = leafValue(expr.value, expr.dtype, round)
      return
    }
    const operands = operandsOf(expr).map((operand) => registers.get(operand)!)
    steps.push(stepOf(expr, target, operands))
  }

  // With a stack of its own: expressions of long fused chains are thousands of calls deep.
  const compile = (root: Expr): void => {
    const pending = [root]
    while (pending.length > 0) {
      const expr = pending.at(-1)!
      const waiting = operandsOf(expr).filter((operand) => !registers.has(operand))
      pending.push(...waiting)
      if (waiting.length > 0) continue
      pending.pop()
      if (!registers.has(expr)) emit(expr)
    }
  }

  const stepOf = (
    expr: Exclude<Expr, { kind: 'constant' }>,
    target: number,
    operands: readonly number[],
  ): (() => void) => {
    switch (expr.kind) {
      case 'load': {
        const { arg } = expr
        const { cells, positions } = frame
        if (kernel.args[arg]!.role === 'position') {
          return () => {
            values[target] = positions[arg]!
          }
        }
        return () => {
          values[target] = cells[arg]![positions[arg]!]!
        }
      }
      case 'number': {
        const { numbers } = frame
        return () => {
          values[target] = numbers[expr.index]!
        }
      }
      case 'accumulator': {
        const results = frame.accumulators[expr.stage]!
        return () => {
          values[target] = results[expr.index]!
        }
      }
      case 'cast': {
        const convert = conversionOf(expr.arg.dtype, expr.dtype, round)
        const operand = operands[0]!
        return () => {
          values[target] = convert(values[operand]!)
        }
      }
      case 'call': {
        // The last operand tells the type: the first one of `where` is its condition.
        const apply = operationOf(expr.fn, expr.args.at(-1)!.dtype)
        const a = operands[0]!
        const b = operands[1] ?? a
        const c = operands[2] ?? a
        return () => {
          values[target] = apply(values[a]!, values[b]!, values[c]!)
        }
      }
    }
  }

  const results = exprs.map((expr) => {
    compile(expr)
    return registers.get(expr)!
  })
  return {
    run() {
      for (let i = 0; i < steps.length; i++) steps[i]!()
    },
    result: (index) => values[results[index]!]!,
  }
}
