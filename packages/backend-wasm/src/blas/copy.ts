// Copies between operands that lie anyhow and slabs, which are dense row by row. Offset tables say where rows and columns
// of an operand lie. Columns come in runs of elements at equal distances (a row of an image, say): a table is looked at
// once a run, and runs of neighbours are copied by whole vectors. Read next: code.ts.
import { entry, minimum } from '../contract/code.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, i64, shuffle32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** Bytes of an element. They are brought about unchanged. */
type ElementBytes = 4 | 8

/** Both functions for one size of elements. */
export function copyFunctions(bytes: ElementBytes): FunctionBuilder[] {
  return [gather(bytes), scatter(bytes)]
}

/**
 * `$gather(slab, pitch, base, rowTable, rows, columnTable, columns, run, step)`: fills the rows of a slab, `pitch` bytes
 * apart. Writes up to 15 bytes past the end of a row, reads up to 28 bytes past the end of a run.
 */
function gather(bytes: ElementBytes): FunctionBuilder {
  const f = new FunctionBuilder('gather')
  const walk = declareWalk(f)
  const { step } = walk
  forEachRun(f, bytes, walk, (slab, place, runBytes) => {
    const to = f.let(slab, 'to')
    const end = f.let(i32.add(slab, runBytes), 'end')
    const from = f.let(place, 'from')
    const copy = (toBytes: number, fromBytes: Wat, statement: Wat): void =>
      f.doWhile(() => {
        f.emit(statement)
        f.set(from, i32.add(from, fromBytes))
        return i32.lt_u(f.tee(to, i32.add(to, toBytes)), end)
      })
    // Vectors may reach past a run: what they spill, the next run or the next row overwrites.
    const neighbours = (): void => copy(16, 16, v128.store(to, v128.load(from)))
    const anyDistance = (): void => copy(bytes, step, copyElement(bytes, to, from))
    const everySecond = (): void => {
      const vector = shuffle32(v128.load(from), v128.load(from, 16), [0, 2, 4, 6])
      copy(16, 32, v128.store(to, vector))
    }
    f.if(i32.eq(step, bytes), neighbours, () => {
      if (bytes === 8) anyDistance()
      else f.if(i32.eq(step, 2 * bytes), everySecond, anyDistance)
    })
  })
  return f
}

/**
 * `$scatter(slab, pitch, base, rowTable, rows, columnTable, columns, run, step)`: the way back, which touches nothing but
 * the elements it brings.
 */
function scatter(bytes: ElementBytes): FunctionBuilder {
  const f = new FunctionBuilder('scatter')
  const walk = declareWalk(f)
  const { step } = walk
  forEachRun(f, bytes, walk, (slab, place, runBytes) => {
    const from = f.let(slab, 'from')
    const end = f.let(i32.add(slab, runBytes), 'end')
    const to = f.let(place, 'to')
    const isLong = i32.and(i32.eq(step, bytes), i32.ge_u(runBytes, 16))
    f.if(
      isLong,
      () => {
        // The last vector ends with the run, so it may bring some elements twice.
        const last = f.let(i32.sub(end, 16), 'last')
        f.while(
          () => i32.lt_u(from, last),
          () => {
            f.emit(v128.store(to, v128.load(from)))
            f.set(from, i32.add(from, 16))
            f.set(to, i32.add(to, 16))
          },
        )
        f.emit(v128.store(i32.add(place, i32.sub(runBytes, 16)), v128.load(last)))
      },
      () =>
        f.doWhile(() => {
          f.emit(copyElement(bytes, to, from))
          f.set(to, i32.add(to, step))
          return i32.lt_u(f.tee(from, i32.add(from, bytes)), end)
        }),
    )
  })
  return f
}

interface Walk {
  readonly slab: Local
  readonly pitch: Local
  readonly base: Local
  readonly rowTable: Local
  readonly rows: Local
  readonly columnTable: Local
  readonly columns: Local
  readonly run: Local
  readonly step: Local
}

function declareWalk(f: FunctionBuilder): Walk {
  const [slab, pitch, base, rowTable, rows] = ['slab', 'pitch', 'base', 'rowTable', 'rows'].map((name) =>
    f.param(name, 'i32'),
  )
  const [columnTable, columns, run, step] = ['columnTable', 'columns', 'run', 'step'].map((name) =>
    f.param(name, 'i32'),
  )
  return { slab, pitch, base, rowTable, rows, columnTable, columns, run, step } as Walk
}

/** Runs `body` for each run, with its place in the slab, its place in the operand and its bytes. There is at least one. */
function forEachRun(
  f: FunctionBuilder,
  bytes: ElementBytes,
  walk: Walk,
  body: (slab: Local, place: Local, runBytes: Local) => void,
): void {
  const { slab, pitch, base, rowTable, rows, columnTable, columns, run } = walk
  const row = f.local('i32', 'row')
  const column = f.local('i32', 'column')
  f.doWhile(() => {
    const rowPlace = f.let(i32.add(base, entry(rowTable, row)), 'rowPlace')
    const slabPlace = f.let(slab, 'slabPlace')
    f.set(column, 0)
    f.doWhile(() => {
      const rest = f.let(i32.sub(columns, column), 'rest')
      const runBytes = f.let(i32.mul(minimum(run, rest), bytes), 'runBytes')
      body(slabPlace, f.let(i32.add(rowPlace, entry(columnTable, column)), 'place'), runBytes)
      f.set(slabPlace, i32.add(slabPlace, runBytes))
      return i32.lt_u(f.tee(column, i32.add(column, run)), columns)
    })
    f.set(slab, i32.add(slab, pitch))
    return i32.lt_u(f.tee(row, i32.add(row, 1)), rows)
  })
}

function copyElement(bytes: ElementBytes, to: Wat, from: Wat): Wat {
  return bytes === 4 ? i32.store(to, i32.load(from)) : i64.store(to, i64.load(from))
}
