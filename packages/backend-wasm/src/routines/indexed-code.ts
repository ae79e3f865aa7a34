// The WebAssembly code of gather and scatter-add, which are one walk seen from both ends: gather reads where an index
// points and writes in order, scatter-add reads in order and adds where an index points. Each has two forms: `rows`, where
// one index serves a whole contiguous row (embeddings), and `elements`, where anything may lie anywhere.
// Indices are checked by `findBad` before any of it runs. Read next: indexed.ts.
import type { DType } from '@nabla/engine'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, f32x4, f64, f64x2, i32, i32x4, i64, v128 } from '../wat/instructions.ts'
import type { Binary, Load, Store } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { parameterLayout, type ParameterLayout } from './parameters.ts'

const names = [
  // where they begin
  'source',
  'index',
  'out',
  // the innermost axis; the one around it is that of the items
  'columns',
  // bytes from row to row and from column to column
  'sourceRow',
  'sourceColumn',
  'indexRow',
  'indexColumn',
  'outRow',
  'outColumn',
  // bytes that an index moves by
  'step',
] as const

/** A word of the parameter block of gather and scatter-add. */
export type IndexedParameter = (typeof names)[number]

/** The layout of that block. */
export const indexedParameters: ParameterLayout<IndexedParameter> = parameterLayout(names)

/** What is done with an element: copied, or added to what is there. */
interface Operation {
  readonly direction: 'gather' | 'scatterAdd'
  readonly bytes: 4 | 8
  readonly load: Load
  readonly store: Store
  readonly addScalars?: Binary
  readonly addVectors?: Binary
}

/** The two forms of the walk. */
export type IndexedForm = 'rows' | 'elements'

/** Gather for elements of some bytes: what the bytes mean does not matter. */
export function gatherFunction(bytes: 4 | 8, form: IndexedForm): FunctionBuilder {
  const { load, store } = bytes === 4 ? i32 : i64
  return writers[form]({ direction: 'gather', bytes, load, store })
}

/** Scatter-add. Bools are added as in logic: the result is 0 or 1. */
export function scatterAddFunction(dtype: DType, form: IndexedForm): FunctionBuilder {
  const operations: Readonly<Record<DType, Omit<Operation, 'direction'>>> = {
    float32: { bytes: 4, load: f32.load, store: f32.store, addScalars: f32.add, addVectors: f32x4.add },
    float64: { bytes: 8, load: f64.load, store: f64.store, addScalars: f64.add, addVectors: f64x2.add },
    int32: { bytes: 4, load: i32.load, store: i32.store, addScalars: i32.add, addVectors: i32x4.add },
    bool: { bytes: 4, load: i32.load, store: i32.store, addScalars: i32.or, addVectors: v128.or },
  }
  return writers[form]({ direction: 'scatterAdd', ...operations[dtype] })
}

const writers = { rows: rowsFunction, elements: elementsFunction }

/** `k(param, from, to)`: columns are contiguous in source and out and share their row's index. */
function rowsFunction(operation: Operation): FunctionBuilder {
  const f = new FunctionBuilder('rows', 'k')
  const walk = declareWalk(f)
  const rowBytes = f.let(i32.mul(walk.word('columns'), operation.bytes), 'rowBytes')
  const vectorBytes = f.let(i32.and(rowBytes, -16), 'vectorBytes')
  const from = f.local('i32', 'from')
  const to = f.local('i32', 'to')
  const offset = f.local('i32', 'offset')
  walk.forEachRow(() => {
    setEnds(f, operation, walk, from, to)
    f.set(offset, 0)
    const transfer = (load: Load, store: Store, add: Binary | undefined): void => {
      const value = load(i32.add(from, offset))
      const place = i32.add(to, offset)
      f.emit(store(place, add === undefined ? value : add(load(place), value)))
    }
    f.for(offset, vectorBytes, 16, () => transfer(v128.load, v128.store, operation.addVectors))
    f.for(offset, rowBytes, operation.bytes, () =>
      transfer(operation.load, operation.store, operation.addScalars),
    )
  })
  return f
}

/** `k(param, from, to)`: any strides. */
function elementsFunction(operation: Operation): FunctionBuilder {
  const f = new FunctionBuilder('elements', 'k')
  const walk = declareWalk(f)
  const columns = f.let(walk.word('columns'), 'columns')
  const columnSteps = (['sourceColumn', 'indexColumn', 'outColumn'] as const).map((name) =>
    f.let(walk.word(name), name),
  )
  const starts = walk.ends.map(() => f.local('i32', 'start'))
  const from = f.local('i32', 'from')
  const to = f.local('i32', 'to')
  const column = f.local('i32', 'column')
  walk.forEachRow(() => {
    walk.ends.forEach((end, i) => f.set(starts[i]!, end))
    f.set(column, 0)
    f.doWhile(() => {
      setEnds(f, operation, walk, from, to)
      const value = operation.load(from)
      const { addScalars } = operation
      f.emit(operation.store(to, addScalars === undefined ? value : addScalars(operation.load(to), value)))
      walk.ends.forEach((end, i) => f.set(end, i32.add(end, columnSteps[i]!)))
      return i32.lt_u(f.tee(column, i32.add(column, 1)), columns)
    })
    walk.ends.forEach((end, i) => f.set(end, starts[i]!))
  })
  return f
}

interface Walk {
  readonly source: Local
  readonly index: Local
  readonly out: Local
  /** The three together. */
  readonly ends: readonly Local[]
  readonly step: Local
  word(name: IndexedParameter): Wat
  forEachRow(body: () => void): void
}

function declareWalk(f: FunctionBuilder): Walk {
  const param = f.param('param', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const word = (name: IndexedParameter): Wat => i32.load(param, 4 * indexedParameters.words[name])
  const rowSteps = (['sourceRow', 'indexRow', 'outRow'] as const).map((name) => f.let(word(name), name))
  const ends = (['source', 'index', 'out'] as const).map((name, i) =>
    f.let(i32.add(word(name), i32.mul(from, rowSteps[i]!)), name),
  )
  const [source, index, out] = ends as [Local, Local, Local]
  const rows = f.let(i32.sub(to, from), 'rows')
  return {
    source,
    index,
    out,
    ends,
    step: f.let(word('step'), 'step'),
    word,
    forEachRow(body) {
      f.doWhile(() => {
        body()
        ends.forEach((end, i) => f.set(end, i32.add(end, rowSteps[i]!)))
        return f.tee(rows, i32.sub(rows, 1))
      })
    },
  }
}

/** Where the index moves one of the two ends. */
function setEnds(f: FunctionBuilder, operation: Operation, walk: Walk, from: Local, to: Local): void {
  const moved = i32.mul(i32.load(walk.index), walk.step)
  const gathers = operation.direction === 'gather'
  f.set(from, gathers ? i32.add(walk.source, moved) : walk.source)
  f.set(to, gathers ? walk.out : i32.add(walk.out, moved))
}

/** Exports of the module that guards the others. */
export interface GuardExports {
  /** Position of the first of `count` indices that is not in [0, limit), or `count`. `stride` is in bytes. */
  findBad(address: number, count: number, stride: number, limit: number): number
  /** Sets bytes to zero. */
  clear(address: number, bytes: number): void
}

/** The functions of that module. */
export function guardFunctions(): FunctionBuilder[] {
  const find = new FunctionBuilder('findBad', 'findBad')
  const address = find.param('address', 'i32')
  const count = find.param('count', 'i32')
  const stride = find.param('stride', 'i32')
  const limit = find.param('limit', 'i32')
  find.result('i32')
  const position = find.local('i32', 'position')
  find.for(position, count, 1, () => {
    // Unsigned, a negative index is larger than any limit.
    find.if(i32.ge_u(i32.load(address), limit), () => find.return(position))
    find.set(address, i32.add(address, stride))
  })
  find.return(count)

  const clear = new FunctionBuilder('clear', 'clear')
  const from = clear.param('from', 'i32')
  const bytes = clear.param('bytes', 'i32')
  clear.emit(['memory.fill', from, i32.const(0), bytes])
  return [find, clear]
}
