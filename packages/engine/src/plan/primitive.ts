// Primitives: what a traced graph becomes before fusion. Composites are expanded, equal work is found once, views carry
// the layout they have over their source's buffer, and copies are put in where no layout exists or a routine needs one.
// After this only maps, reductions, assemblies, routines, positions and leaves exist. Read next: fuse.ts.
import type { DType } from '../dtype.ts'
import { cast, type Expr } from '../expr.ts'
import type { ReduceFunction } from '../kernel.ts'
import type { Op, RoutineLowering } from '../lowering.ts'
import { noAttributes, type Attributes } from '../node.ts'
import { sizeOf, type Shape } from '../shape.ts'
import { rowMajor, type Layout, type ViewMap } from '../view.ts'

/** What kind of work a primitive is. `place` writes its input into a part of an assembly; `fill` writes the rest. */
export type PrimitiveKind =
  | 'host'
  | 'variable'
  | 'number'
  | 'position'
  | 'view'
  | 'map'
  | 'reduce'
  | 'place'
  | 'fill'
  | 'assemble'
  | 'routine'

/** One piece of primitive work. Identifiers rise from inputs to users. */
export interface Primitive {
  readonly id: number
  /** When the program made it, among all primitives: identifiers follow the walk over the graph, this follows the program. */
  readonly turn: number
  readonly kind: PrimitiveKind
  /** Name of the op it came from, for people. */
  readonly name: string
  readonly inputs: readonly Primitive[]
  readonly shape: Shape
  readonly size: number
  readonly dtype: DType
  readonly attributes: Attributes
  /** Leaves: index among the trace's hosts, Variables or numbers. */
  readonly index: number
  /** Of a view: what it does to positions. */
  readonly view: ViewMap | null
  /** The primitive whose buffer the elements lie in, and how. Only a view's source is another primitive. */
  readonly source: Primitive
  readonly layout: Layout
  /** Of a map: its expression over its inputs. */
  readonly expr: ((inputs: readonly Expr[]) => Expr) | null
  /** Of a reduction. */
  readonly fn: ReduceFunction | null
  /** Of a routine. */
  readonly routine: RoutineLowering | null
  /** Of a place or a fill: the layout of its elements in the assembly's buffer. */
  readonly target: Layout | null
  /** Whether it needs no memory: numbers, positions, and maps of nothing else. Such values are always recomputed. */
  readonly free: boolean
}

/** The parts of a primitive that a kind needs; the rest have neutral values. */
export type PrimitiveParts = Partial<Primitive> & Pick<Primitive, 'kind' | 'name' | 'shape' | 'dtype'>

/** Makes primitives, one object per distinct piece of work. */
export class PrimitiveGraph {
  readonly all: Primitive[] = []
  /** The place, in the order of the program, of the node that primitives are made for just now. */
  place: number = 0
  #known = new Map<string, Primitive>()

  /** A primitive, or the equal one made before. `identity` tells apart what looks alike but is not (or is never shared). */
  make(parts: PrimitiveParts, identity: string | null): Primitive {
    const inputs = parts.inputs ?? []
    const text =
      identity === null
        ? null
        : [
            parts.kind,
            identity,
            inputs.map((input) => input.id).join(','),
            parts.shape.join(','),
            parts.dtype,
            JSON.stringify(parts.attributes ?? noAttributes, exactNumber),
          ].join('|')
    const known = text === null ? undefined : this.#known.get(text)
    if (known !== undefined) return known
    const primitive = {
      id: this.all.length,
      // Those of one node follow one another.
      turn: this.place + this.all.length / 2 ** 32,
      inputs,
      size: sizeOf(parts.shape),
      attributes: noAttributes,
      index: -1,
      view: null,
      layout: rowMajor(parts.shape),
      expr: null,
      fn: null,
      routine: null,
      target: null,
      free: false,
      ...parts,
    } as { -readonly [K in keyof Primitive]: Primitive[K] }
    primitive.source ??= primitive
    this.all.push(primitive)
    if (text !== null) this.#known.set(text, primitive)
    return primitive
  }

  /** A map. */
  map(op: Op, inputs: readonly Primitive[], attributes: Attributes, shape: Shape, dtype: DType): Primitive {
    const lowering = op.lowering
    if (lowering.kind !== 'map') throw new Error(`${op.name} is not a map`)
    return this.make(
      {
        kind: 'map',
        name: op.name,
        inputs,
        attributes,
        shape,
        dtype,
        expr: (values) => cast(lowering.expr(values, attributes), dtype),
        free: inputs.every((input) => input.source.free),
      },
      String(op.id),
    )
  }

  /** The same values in a row-major buffer of their own: never free, whatever it copies. */
  copy(input: Primitive): Primitive {
    const { shape, dtype } = input
    const expr = (values: readonly Expr[]): Expr => values[0]!
    return this.make({ kind: 'map', name: 'copy', inputs: [input], shape, dtype, expr }, 'copy')
  }
}

/** JSON has no -0, NaN or infinities; keys must tell them apart. */
function exactNumber(_name: string, value: unknown): unknown {
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value
  return Object.is(value, -0) ? '-0' : String(value)
}
