// A kernel in the form the emitter wants: equal expressions are one object, so that a Map by identity finds what has been
// computed already, and every conversion is written out, so that no later step has to think of types meeting. Read next:
// arrange.ts, which chooses the axis along which vectors run.
import { cast, type DType, type Expr, type Kernel, type Stage, type Store } from '@nabla/engine'

/**
 * The same kernel with equal expressions shared, with a cast wherever a value goes to a place of another type, and with
 * loads from a stash instead of the values that an earlier stage keeps there.
 */
export function canonicalKernel(kernel: Kernel): Kernel {
  const share = createSharing(kernel)
  const stashed = new Map<Expr, Expr>()
  const rewrite = (expr: Expr, dtype: DType): Expr => {
    const shared = share(cast(expr, dtype))
    return stashed.size === 0 ? shared : share(replaceValues(shared, stashed, new Map()))
  }
  const stages = kernel.stages.map((stage): Stage => {
    const accumulators = stage.accumulators.map((accumulator) => {
      return { ...accumulator, value: rewrite(accumulator.value, accumulator.dtype) }
    })
    for (const { value, stash } of accumulators) {
      const place = stash === undefined ? undefined : kernel.args[stash]
      // What is kept in a narrower type does not come back as it was.
      if (place?.dtype === value.dtype)
        stashed.set(value, share({ kind: 'load', arg: stash!, dtype: value.dtype }))
    }
    return { accumulators }
  })
  const stores = kernel.stores.map((store): Store => ({
    ...store,
    value: rewrite(store.value, kernel.args[store.arg]!.dtype),
  }))
  return { ...kernel, stages, stores }
}

/** An expression with some of its parts, whole values each, replaced. */
function replaceValues(expr: Expr, replacements: ReadonlyMap<Expr, Expr>, memo: Map<Expr, Expr>): Expr {
  const known = replacements.get(expr) ?? memo.get(expr)
  if (known !== undefined) return known
  let result = expr
  if (expr.kind === 'cast') result = { ...expr, arg: replaceValues(expr.arg, replacements, memo) }
  if (expr.kind === 'call') {
    result = { ...expr, args: expr.args.map((arg) => replaceValues(arg, replacements, memo)) }
  }
  memo.set(expr, result)
  return result
}

/** A function from expressions to their one representative. */
function createSharing(kernel: Kernel): (expr: Expr) => Expr {
  const known = new Map<Expr, Expr>()
  const byText = new Map<string, Expr>()
  const numbers = new Map<Expr, number>()

  const represent = (text: string, expr: Expr): Expr => {
    const found = byText.get(text)
    if (found !== undefined) return found
    byText.set(text, expr)
    numbers.set(expr, numbers.size)
    return expr
  }

  const share = (expr: Expr): Expr => {
    const found = known.get(expr)
    if (found !== undefined) return found
    const result = rebuild(expr)
    known.set(expr, result)
    return result
  }

  const rebuild = (expr: Expr): Expr => {
    switch (expr.kind) {
      case 'load': {
        // The type of what lies in memory is the argument's; whoever made the expression may have seen it otherwise.
        const stored = kernel.args[expr.arg]!.dtype
        const load = represent(`load ${expr.arg}`, { kind: 'load', arg: expr.arg, dtype: stored })
        return stored === expr.dtype ? load : share(cast(load, expr.dtype))
      }
      case 'number': {
        const given = kernel.numbers[expr.index]!
        const number = represent(`number ${expr.index}`, { kind: 'number', index: expr.index, dtype: given })
        return given === expr.dtype ? number : share(cast(number, expr.dtype))
      }
      case 'constant': {
        const value = Object.is(expr.value, -0) ? '-0' : String(expr.value)
        return represent(`constant ${expr.dtype} ${value}`, expr)
      }
      case 'accumulator': {
        const dtype = kernel.stages[expr.stage]!.accumulators[expr.index]!.dtype
        const text = `accumulator ${expr.stage} ${expr.index}`
        const accumulator = represent(text, { ...expr, dtype })
        return dtype === expr.dtype ? accumulator : share(cast(accumulator, expr.dtype))
      }
      case 'cast': {
        const arg = share(expr.arg)
        if (arg.dtype === expr.dtype) return arg
        return represent(`${expr.dtype} ${numbers.get(arg)!}`, { ...expr, arg })
      }
      case 'call': {
        const args = expr.args.map(share)
        const operands = args.map((arg) => numbers.get(arg)!).join(' ')
        return represent(`${expr.fn} ${expr.dtype} ${operands}`, { ...expr, args })
      }
    }
  }
  return share
}
