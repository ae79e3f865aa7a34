// Computes the values of a kernel's expressions, each at its place (placement.ts) and once. Scopes mirror the loops that
// are being written: on entering a loop, `hoist` computes all that stays the same in the loops inside it; whatever is
// left is computed where it is asked for. A name given in a scope is good until the scope is left.
import { operandsOf, type CallExpr, type ConstantExpr, type Expr, type Kernel } from '@nabla/engine'
import { expNeg } from '../math/exp.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { i32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Site, VectorAccess } from './access.ts'
import type { Addresses } from './addresses.ts'
import { convert } from './casts.ts'
import { emitCall } from './functions.ts'
import { splatConstant, type LaneCount } from './lanes.ts'
import type { Placement } from './placement.ts'

interface Scope {
  readonly depth: number
  readonly site: Site
  /** Values that all lanes share. */
  readonly shared: Map<Expr, Local>
  /** Values that differ, by vector of the site. */
  readonly varying: readonly Map<Expr, Local>[]
}

/** Emits values, inside the scopes it is told of. */
export class Evaluator {
  readonly #f: FunctionBuilder
  readonly #kernel: Kernel
  readonly #placement: Placement
  readonly #access: VectorAccess
  readonly #addresses: Addresses
  readonly #lanes: LaneCount
  readonly #scopes: Scope[] = []
  readonly #constants = new Map<Expr, Local>()
  readonly #accumulators = new Map<string, readonly Local[]>()

  constructor(
    f: FunctionBuilder,
    kernel: Kernel,
    placement: Placement,
    access: VectorAccess,
    addresses: Addresses,
    lanes: LaneCount,
  ) {
    this.#f = f
    this.#kernel = kernel
    this.#placement = placement
    this.#access = access
    this.#addresses = addresses
    this.#lanes = lanes
  }

  /** Writes code in a scope of its own, having first computed what the roots need and what stays the same inside it. */
  within(depth: number, site: Site, roots: readonly Expr[], write: () => void): void {
    const varying = Array.from({ length: site.groups }, () => new Map<Expr, Local>())
    this.#scopes.push({ depth, site, shared: new Map(), varying })
    this.hoist(roots)
    write()
    this.#scopes.pop()
  }

  /** Computes all parts of the roots that belong to the present scope or further out and have not been computed. */
  hoist(roots: readonly Expr[]): void {
    const { depth, site } = this.#scopes.at(-1)!
    const visited = new Set<Expr>()
    const visit = (expr: Expr): void => {
      if (visited.has(expr)) return
      visited.add(expr)
      if (this.#placement.depth(expr) > depth) return operandsOf(expr).forEach(visit)
      const groups = this.#placement.varies(expr) ? site.groups : 1
      for (let group = 0; group < groups; group++) this.#named(expr, group)
    }
    // The innermost loop computes values when they are asked for, which keeps loads beside their uses.
    if (depth <= 1 || depth < this.#placement.innermost) roots.forEach(visit)
  }

  /** The value of an expression at vector `group` of the present site. To be used once, or named. */
  value(expr: Expr, group: number): Wat {
    const known = this.#find(expr, group)
    if (known !== undefined) return known
    const once = this.#placement.uses(expr) === 1
    const here = this.#scopes.at(-1)!
    // A shared value is asked for by each vector of the site.
    const single = once && (this.#placement.varies(expr) || here.site.groups === 1)
    return single ? this.#compute(expr, group) : this.#named(expr, group)
  }

  /** Tells the result of an accumulator: one vector for all lanes, or one for each vector of the site. */
  setAccumulator(stage: number, index: number, results: readonly Local[]): void {
    this.#accumulators.set(`${stage} ${index}`, results)
  }

  #find(expr: Expr, group: number): Local | undefined {
    if (expr.kind === 'constant') return this.#constant(expr)
    const varies = this.#placement.varies(expr)
    if (expr.kind === 'accumulator') {
      return this.#accumulators.get(`${expr.stage} ${expr.index}`)![varies ? group : 0]
    }
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const scope = this.#scopes[i]!
      const known = (varies ? scope.varying[group] : scope.shared)?.get(expr)
      if (known !== undefined) return known
    }
    return undefined
  }

  #named(expr: Expr, group: number): Local {
    const known = this.#find(expr, group)
    if (known !== undefined) return known
    const local = this.#f.once(this.#compute(expr, group))
    const { shared, varying } = this.#scopes.at(-1)!
    const names = this.#placement.varies(expr) ? varying[group]! : shared
    names.set(expr, local)
    return local
  }

  #compute(expr: Expr, group: number): Wat {
    const { site } = this.#scopes.at(-1)!
    switch (expr.kind) {
      case 'constant':
        return this.#constant(expr)
      case 'accumulator':
        return this.#find(expr, group)!
      case 'number':
        return this.#number(expr.index)
      case 'load':
        return this.#access.load(expr.arg, site, group)
      case 'cast':
        return convert(this.#f, this.value(expr.arg, group), expr.arg.dtype, expr.dtype)
      case 'call': {
        const operands = expr.args.map((arg) => this.value(arg, group))
        if (this.#isShiftedExponential(expr)) return expNeg(this.#f, operands[0]!)
        return emitCall(this.#f, expr, operands, this.#lanes)
      }
    }
  }

  #constant(expr: ConstantExpr): Local {
    let local = this.#constants.get(expr)
    if (local === undefined) {
      local = splatConstant(this.#f, expr.dtype, expr.value)
      this.#constants.set(expr, local)
    }
    return local
  }

  #number(index: number): Wat {
    const [address, offset] = this.#addresses.number(index)
    const dtype = this.#kernel.numbers[index]!
    if (dtype === 'float64') return v128.load64_splat(address, offset)
    const word = v128.load32_splat(address, offset)
    return dtype === 'bool' ? i32x4.ne(word, this.#f.i32x4(0)) : word
  }

  /** exp(x - m) where m is the maximum of that very x over the row: never positive, so the cheaper form will do. */
  #isShiftedExponential(expr: CallExpr): boolean {
    const [difference] = expr.args
    if (expr.fn !== 'exp' || expr.dtype !== 'float32' || difference?.kind !== 'call') return false
    const [x, maximum] = difference.args
    if (difference.fn !== 'sub' || maximum?.kind !== 'accumulator') return false
    const accumulator = this.#kernel.stages[maximum.stage]!.accumulators[maximum.index]!
    return accumulator.fn === 'max' && accumulator.value === x
  }
}
