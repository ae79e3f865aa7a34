// Assemblies: values put together from parts in one buffer (padding, concatenation, zero-insertion). A part is written by
// the kernel that computes it, straight to where it belongs, also when it is an assembly itself; what no part covers is
// filled first. Where a value lies as a part is remembered, for those who would put the same values together again
// (stack.ts). Sums of assemblies: sums.ts. Read before: primitive.ts, expand.ts.
import type { DType } from '../dtype.ts'
import { constant, type Expr } from '../expr.ts'
import type { Op } from '../lowering.ts'
import type { Node } from '../node.ts'
import { formatShape, rowMajorStrides, sameShape, sizeOf, type Shape } from '../shape.ts'
import { reshapeLayout, rowMajor, type Layout } from '../view.ts'
import type { Primitive, PrimitiveGraph } from './primitive.ts'
import { isSame } from './space.ts'

/** A part of an assembly: an input, and where its elements lie along each dimension. */
export interface Part {
  readonly input: Primitive
  readonly start: readonly number[]
  readonly step: readonly number[]
}

/** Where a value lies as a part of an assembly: a layout over the value's shape. */
export interface Home {
  readonly assembly: Primitive
  readonly layout: Layout
}

/** An assembly of more parts than this is copied as a whole where it is a part of another. */
const fewParts = 8

/** Nor are kernels made to write one value to more places than this. */
const fewHomes = 4

/** Makes the assemblies of one graph. */
export class Assemblies {
  readonly #graph: PrimitiveGraph
  readonly #known = new Map<string, Primitive>()
  readonly #parts = new Map<Primitive, readonly Part[]>()
  readonly #homes = new Map<Primitive, Home[]>()

  constructor(graph: PrimitiveGraph) {
    this.#graph = graph
  }

  /** The assembly of an op whose attributes say where its inputs lie. */
  ofOp(op: Op, inputs: readonly Primitive[], node: Node): Primitive {
    const { attributes, shape, dtype } = node
    const starts = attributes['starts'] as readonly (readonly number[])[]
    const steps = attributes['steps'] as readonly (readonly number[])[]
    const parts = inputs.map((input, i) => ({ input, start: starts[i]!, step: steps[i]! }))
    return this.make(op.name, parts, attributes['fill'] as number, shape, dtype)
  }

  /** Zero-filled assemblies of one shape, added up as far as their parts do not overlap: the fewer values left to add. */
  addUp(terms: readonly Primitive[]): readonly Primitive[] {
    const sums: { readonly terms: Primitive[]; readonly parts: Part[] }[] = []
    for (const term of terms) {
      const parts = this.#parts.get(term)!
      const sum = sums.find((each) => !each.parts.some((a) => parts.some((b) => overlap(a, b))))
      if (sum === undefined) sums.push({ terms: [term], parts: [...parts] })
      else {
        sum.terms.push(term)
        sum.parts.push(...parts)
      }
    }
    return sums.map((sum) => {
      const [{ name, shape, dtype }] = sum.terms as [Primitive]
      if (sum.terms.length === 1) return sum.terms[0]!
      for (const term of sum.terms) this.#forget(term)
      return this.make(name, sum.parts, 0, shape, dtype)
    })
  }

  /** Whether a value is an assembly that may be a term of {@link Assemblies.addUp}. */
  isZeroFilled(value: Primitive): boolean {
    return this.#parts.has(value) && value.attributes['fill'] === 0
  }

  /** Where a buffer lies as a part of assemblies made so far; layouts are over its primitive's shape. */
  homesOf(value: Primitive): readonly Home[] {
    return this.#homes.get(value) ?? []
  }

  /**
   * Cuts an assembly into a fill of the whole (unless the parts cover it) and one place per part. Places wait for the
   * fill; the assembly itself is only the name of the finished buffer.
   */
  make(name: string, all: readonly Part[], fill: number, shape: Shape, dtype: DType): Primitive {
    const parts = all.filter((part) => part.input.size > 0)
    const [only] = parts
    if (parts.length === 1 && only!.input.dtype === dtype && sameShape(only!.input.shape, shape))
      return only!.input
    const rejoined = this.#rejoin(parts, shape, dtype)
    if (rejoined !== null) return rejoined
    const where = parts.map(({ input, start, step }) => `${input.id}@${start.join(',')}:${step.join(',')}`)
    const identity = `${where.join(' ')}=${fill}${Object.is(fill, -0)}${formatShape(shape)}${dtype}`
    const known = this.#known.get(identity)
    if (known !== undefined) return known

    const strides = rowMajorStrides(shape)
    const covered = parts.reduce((sum, part) => sum + part.input.size, 0)
    const filling: Primitive[] = []
    if (covered < sizeOf(shape)) {
      const target: Layout = { shape, strides, offset: 0 }
      const expr = (): Expr => constant(fill, dtype)
      filling.push(this.#graph.make({ kind: 'fill', name: 'fill', shape, dtype, target, expr }, null))
    }
    const places = parts.flatMap((part) =>
      this.#place(name, part.input, targetOf(part, strides), dtype, filling),
    )
    const assembly = this.#graph.make(
      { kind: 'assemble', name, inputs: [...filling, ...places], shape, dtype, attributes: { fill } },
      null,
    )
    this.#known.set(identity, assembly)
    this.#parts.set(assembly, parts)
    for (const part of parts) this.#settle(part, { assembly, layout: targetOf(part, strides) })
    return assembly
  }

  /** Parts that are pieces of one buffer and lie there as they would in the assembly: that buffer. Else null. */
  #rejoin(parts: readonly Part[], shape: Shape, dtype: DType): Primitive | null {
    const source = parts[0]?.input.source
    const size = sizeOf(shape)
    if (source === undefined || source.free || source.dtype !== dtype || source.size !== size) return null
    const strides = rowMajorStrides(shape)
    const covered = parts.reduce((sum, part) => sum + part.input.size, 0)
    const lieThere = parts.every((part) => {
      const { layout } = part.input
      const target = targetOf(part, strides)
      return (
        part.input.source === source &&
        layout.offset === target.offset &&
        layout.shape.every((length, dim) => length === 1 || layout.strides[dim] === target.strides[dim])
      )
    })
    if (covered !== size || !lieThere) return null
    const view = { kind: 'reshape' } as const
    return this.#graph.make(
      {
        kind: 'view',
        name: 'reshape',
        inputs: [source],
        shape,
        dtype,
        view,
        source,
        layout: rowMajor(shape),
      },
      'reshape',
    )
  }

  /** The places of a part: one, or those of its own parts where kernels write these anyway. */
  #place(
    name: string,
    input: Primitive,
    target: Layout,
    dtype: DType,
    filling: readonly Primitive[],
  ): Primitive[] {
    const inner = wholeOf(input)
    const parts = inner === null ? null : this.#writtenByKernels(inner, dtype)
    const layout = parts === null ? null : reshapeLayout(target, inner!.shape)
    if (parts !== null && layout !== null) {
      return parts.flatMap((part) =>
        this.#place(name, part.input, targetOf(part, layout.strides, layout.offset), dtype, filling),
      )
    }
    const expr = (values: readonly Expr[]): Expr => values[0]!
    const inputs = [input, ...filling]
    return [this.#graph.make({ kind: 'place', name, inputs, shape: input.shape, dtype, target, expr }, null)]
  }

  /**
   * The parts of an assembly without gaps that kernels write, so that these may write them elsewhere as well. Null where
   * copying the finished assembly is less work: where parts are many, or are written to other places already.
   */
  #writtenByKernels(assembly: Primitive, dtype: DType): readonly Part[] | null {
    const parts = this.#parts.get(assembly)
    if (parts === undefined || parts.length > fewParts || assembly.dtype !== dtype) return null
    if (assembly.inputs.some(({ kind }) => kind === 'fill')) return null
    const written = parts.every(({ input }) => {
      const value = wholeOf(input)
      const computed = value?.kind === 'map' || value?.kind === 'reduce'
      return computed && this.homesOf(assembly).length < 1 && this.homesOf(value).length < fewHomes
    })
    return written ? parts : null
  }

  #settle({ input }: Part, home: Home): void {
    const value = wholeOf(input)
    if (value === null || value.dtype !== home.assembly.dtype) return
    const layout = reshapeLayout(home.layout, value.shape)
    if (layout === null) return
    const homes = this.#homes.get(value)
    if (homes === undefined) this.#homes.set(value, [{ ...home, layout }])
    else homes.push({ ...home, layout })
  }

  /** An assembly that became a part of a sum may never be made, so nothing may be read from it. */
  #forget(assembly: Primitive): void {
    for (const { input } of this.#parts.get(assembly)!) {
      const homes = this.#homes.get(input.source)
      const at = homes?.findIndex((home) => home.assembly === assembly) ?? -1
      if (at >= 0) homes!.splice(at, 1)
    }
  }
}

/** The primitive all of whose elements a value lists in order, under any shape; null where it does not. */
export function wholeOf(value: Primitive): Primitive | null {
  const { source, layout } = value
  return !source.free && source.size === value.size && isSame(layout) ? source : null
}

/** The layout of a part's elements in a buffer with these strides. Parts may lack leading dimensions. */
function targetOf(part: Part, strides: readonly number[], base: number = 0): Layout {
  const { input, start, step } = part
  return {
    shape: input.shape,
    strides: strides.map((stride, d) => stride * step[d]!).slice(start.length - input.shape.length),
    offset: strides.reduce((sum, stride, d) => sum + stride * start[d]!, base),
  }
}

/** Whether two parts may have an element in common. Parts with one step and different remainders interleave. */
function overlap(a: Part, b: Part): boolean {
  return a.start.every((start, d) => {
    const other = b.start[d]!
    const step = a.step[d]!
    if (step === b.step[d] && (start - other) % step !== 0) return false
    const end = start + (extent(a, d) - 1) * step
    const otherEnd = other + (extent(b, d) - 1) * b.step[d]!
    return start <= otherEnd && other <= end
  })
}

function extent({ input, start }: Part, d: number): number {
  return input.shape[d - start.length + input.shape.length] ?? 1
}
