// Kernels: the form in which fused work reaches a backend. A kernel walks an outer space (its items are independent and
// may run on any thread) and, for each outer item, an inner space (a row). Stages reduce over the inner space in order;
// later stages and the stores see what earlier ones found. So softmax, layer norm or cross-entropy with its gradient are
// one kernel each. A kernel holds structure only; a Launch adds sizes, strides and buffers (R2). Read next: backend.ts.
import type { DType } from './dtype.ts'
import type { Expr } from './expr.ts'

/** How far apart, along one axis, the elements of an argument lie: all the same, neighbours, or any stride. */
export type StrideClass = 0 | 1 | 's'

/** An argument of a kernel. */
export interface KernelArgument {
  /** `position`: no memory behind it; its value at an index is the int32 `offset + sum(index * stride)`. */
  readonly role: 'input' | 'output' | 'position'
  readonly dtype: DType
  /** One class per axis, outer axes first. */
  readonly classes: readonly StrideClass[]
}

/** The reductions a stage can make. Each is associative and has an identity. */
export type ReduceFunction = 'sum' | 'prod' | 'max' | 'min'

/** One running result of a stage. */
export interface Accumulator {
  readonly fn: ReduceFunction
  /** Evaluated at every inner position. */
  readonly value: Expr
  readonly dtype: DType
  /**
   * Output argument in whose own row the element values are kept, when a later stage or store needs the same value and
   * it is dear: loads from `stash` then replace the computation. Never an argument that aliases an input.
   */
  readonly stash?: number
}

/** One pass over the inner space. */
export interface Stage {
  readonly accumulators: readonly Accumulator[]
}

/** A result. `row`: once per outer item, after all stages. `element`: at every inner position, in a last pass. */
export interface Store {
  readonly level: 'row' | 'element'
  readonly arg: number
  readonly value: Expr
}

/** The structure of a kernel. Equal structures are compiled once. */
export interface Kernel {
  readonly outerRank: number
  readonly innerRank: number
  readonly args: readonly KernelArgument[]
  /** Types of the numbers handed over at each run. */
  readonly numbers: readonly DType[]
  readonly stages: readonly Stage[]
  readonly stores: readonly Store[]
}

/** Where an argument's elements lie: `offset + sum(index * stride)`, in elements, one stride per axis (outer first). */
export interface Access {
  readonly offset: number
  readonly strides: readonly number[]
}

/** A kernel with everything a plan knows about one run of it. */
export interface Launch {
  readonly kernel: Kernel
  /** Sizes of the axes, outer ones first. */
  readonly sizes: readonly number[]
  /** One access per kernel argument. */
  readonly accesses: readonly Access[]
  /** Plan slot of each argument; -1 for `position` arguments. */
  readonly slots: readonly number[]
  /** Indices into the plan's numbers, one per kernel number. */
  readonly numbers: readonly number[]
}

/** A text that is equal for kernels of equal structure: the key of every code cache. */
export function kernelKey(kernel: Kernel): string {
  const ids = new Map<Expr, number>()
  const lines: string[] = []
  const visit = (expr: Expr): number => {
    const known = ids.get(expr)
    if (known !== undefined) return known
    let text: string
    switch (expr.kind) {
      case 'load':
        text = `a${expr.arg}`
        break
      case 'number':
        text = `n${expr.index}`
        break
      case 'constant':
        text = `c${Object.is(expr.value, -0) ? '-0' : expr.value}:${expr.dtype}`
        break
      case 'accumulator':
        text = `r${expr.stage}.${expr.index}`
        break
      case 'cast':
        text = `${expr.dtype}(${visit(expr.arg)})`
        break
      case 'call':
        text = `${expr.fn}(${expr.args.map(visit).join(',')})`
        break
    }
    const id = lines.push(text) - 1
    ids.set(expr, id)
    return id
  }
  const stages = kernel.stages.map((stage) =>
    stage.accumulators
      .map((a) => `${a.fn}:${a.dtype}:${visit(a.value)}${a.stash === undefined ? '' : `>${a.stash}`}`)
      .join(','),
  )
  const stores = kernel.stores.map((store) => `${store.level}:${store.arg}=${visit(store.value)}`)
  const args = kernel.args.map((arg) => `${arg.role}:${arg.dtype}:${arg.classes.join('')}`)
  return [
    kernel.outerRank,
    kernel.innerRank,
    args.join(' '),
    kernel.numbers.join(' '),
    stages.join('|'),
    stores.join('|'),
    lines.join(';'),
  ].join('/')
}

/** The class of a stride along an axis. */
export function strideClass(stride: number, size: number): StrideClass {
  if (stride === 0 || size === 1) return 0
  return stride === 1 ? 1 : 's'
}

/** The same launch of a map (nothing reduced) with as few axes as its arguments allow. */
export function withMergedAxes(launch: Launch): Launch {
  const { kernel, accesses } = launch
  const sizes: number[] = []
  const strides: (readonly number[])[] = []
  launch.sizes.forEach((size, axis) => {
    if (size === 1) return
    const own = accesses.map((access) => access.strides[axis]!)
    const outer = strides.at(-1)
    if (outer?.every((stride, arg) => stride === own[arg]! * size)) {
      sizes[sizes.length - 1]! *= size
      strides[strides.length - 1] = own
    } else {
      sizes.push(size)
      strides.push(own)
    }
  })
  if (sizes.length === 0) {
    sizes.push(1)
    strides.push(accesses.map(() => 0))
  }
  return {
    ...launch,
    sizes,
    accesses: accesses.map(({ offset }, arg) => ({ offset, strides: strides.map((own) => own[arg]!) })),
    kernel: {
      ...kernel,
      outerRank: sizes.length - 1,
      innerRank: 1,
      args: kernel.args.map((argument, arg) => ({
        ...argument,
        classes: sizes.map((size, axis) => strideClass(strides[axis]![arg]!, size)),
      })),
    },
  }
}
