// Values of one shape as one value with a dimension more. Where they lie in one buffer at equal distances already, as
// slices of one tensor or as parts of an assembly, that is a view; otherwise they become an assembly. Read before:
// assembly.ts. Read next: sums.ts, which makes one product of many by stacking their operands.
import { sameShape, type Shape } from '../shape.ts'
import { reshapeLayout, type AffineMap, type Layout } from '../view.ts'
import { wholeOf, type Assemblies } from './assembly.ts'
import type { Primitive, PrimitiveGraph } from './primitive.ts'
import { isSame } from './space.ts'

/** A buffer and where in it some elements lie. */
export interface Place {
  readonly buffer: Primitive
  readonly layout: Layout
}

/** Where the stack of some values lies already; null where it would have to be put together. */
export function findStack(assemblies: Assemblies, values: readonly Primitive[]): Place | null {
  const [first] = values
  if (first!.source.free) return null
  const own = progression(values.map(({ source, layout }) => ({ buffer: source, layout })))
  if (own !== null) return own
  const whole = values.map(wholeOf)
  if (whole.some((value) => value === null)) return null
  for (const { assembly } of assemblies.homesOf(whole[0]!)) {
    const places: Place[] = []
    for (const value of whole) {
      const home = assemblies.homesOf(value!).find((each) => each.assembly === assembly)
      const layout = home === undefined ? null : reshapeLayout(home.layout, first!.shape)
      if (layout === null) break
      places.push({ buffer: assembly, layout })
    }
    const found = places.length === values.length ? progression(places) : null
    if (found !== null) return found
  }
  return null
}

/** The stack of values of one shape and type: [count, ...shape]. */
export function stack(
  graph: PrimitiveGraph,
  assemblies: Assemblies,
  values: readonly Primitive[],
): Primitive {
  const { shape, dtype } = values[0]!
  const found = findStack(assemblies, values)
  if (found !== null) return viewOf(graph, found)
  const parts = values.map((input, i) => ({
    input,
    start: [i, ...shape.map(() => 0)],
    step: [1, ...shape.map(() => 1)],
  }))
  return assemblies.make('stack', parts, 0, [values.length, ...shape], dtype)
}

/** Places in one buffer at equal distances as one place with a dimension more. */
function progression(places: readonly Place[]): Place | null {
  const [first, second] = places
  const { buffer, layout } = first!
  const distance = second === undefined ? 0 : second.layout.offset - layout.offset
  const regular = places.every((place, i) => {
    const { shape, strides, offset } = place.layout
    if (place.buffer !== buffer || offset !== layout.offset + i * distance) return false
    return strides.every((stride, d) => stride === layout.strides[d] || shape[d] === 1)
  })
  if (!regular) return null
  return {
    buffer,
    layout: {
      shape: [places.length, ...layout.shape],
      strides: [distance, ...layout.strides],
      offset: layout.offset,
    },
  }
}

/** A place as a view of its buffer: of its elements in a row, from which every layout is an affine map. */
export function viewOf(graph: PrimitiveGraph, { buffer, layout }: Place): Primitive {
  const { dtype } = buffer
  if (sameShape(layout.shape, buffer.shape) && isSame(layout)) return buffer
  const shared = { kind: 'view', name: 'stack', dtype, source: buffer, free: false } as const
  const row: Shape = [buffer.size]
  const flat = graph.make(
    {
      ...shared,
      inputs: [buffer],
      shape: row,
      view: { kind: 'reshape' },
      layout: { shape: row, strides: [1], offset: 0 },
    },
    'row',
  )
  const map: AffineMap = {
    kind: 'affine',
    start: [layout.offset],
    moves: layout.strides.map((stride) => [[0, stride] as const]),
  }
  const { shape } = layout
  return graph.make(
    { ...shared, inputs: [flat], shape, view: map, layout },
    `${layout.offset}:${layout.strides.join(',')}`,
  )
}
