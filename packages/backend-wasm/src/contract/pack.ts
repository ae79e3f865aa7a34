// Packing: copies a block of an operand into panels, in which the tile's loop over k reads without gaps: for each k the
// elements of 4 rows of A, or of 8 columns of B, side by side. Offset tables say where elements come from; how they are
// moved depends on how four neighbouring rows lie, which is found out once per group of four, not per element:
//   32 rows next to one another: whole cache lines are copied into several panels at once (up to 5x faster than by fours);
//   4 next to one another: one load; every second element: two loads; two runs (a row of an image ends): two loads, mixed;
//   anything else: 4 x 4 blocks are transposed where four values of k lie side by side, and the rest goes lane by lane.
// "Rows" below are columns where B is packed. Rows that do not exist repeat the last one: their products are computed
// and never stored. Loads may touch up to 12 bytes before and 15 after an operand. Read next: packed.ts.
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, i32x4, shuffle32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { all, entryAddress, fourOffsets, minimum, zeroVector } from './code.ts'

/** Rows copied together where they lie next to one another: two cache lines. */
const wideRows = 32

/** The functions that pack panels of `rows` rows (4 or 8). `$pack<Name>` is the one to call, see {@link packPanels}. */
export function packFunctions(name: string, rows: 4 | 8): FunctionBuilder[] {
  return [packWide(name, rows), packPanels(name, rows)]
}

/**
 * `$pack<Name>(to, base, rowTable, rows, kTable, kCount)`: packs `rows` rows whose offsets from `base` begin at `rowTable`,
 * over the `kCount` values of k whose offsets begin at `kTable`.
 */
function packPanels(name: string, panelRows: 4 | 8): FunctionBuilder {
  const f = new FunctionBuilder(`pack${name}`)
  const to = f.param('to', 'i32')
  const base = f.param('base', 'i32')
  const rowTable = f.param('rowTable', 'i32')
  const rows = f.param('rows', 'i32')
  const kTable = f.param('kTable', 'i32')
  const kCount = f.param('kCount', 'i32')
  const row = f.local('i32', 'row')
  const last = f.let(i32.sub(rows, 1))
  const table = f.local('i32', 'table')
  const isWide = f.local('i32', 'isWide')
  f.doWhile(() => {
    f.set(table, entryAddress(rowTable, row))
    f.set(isWide, 0)
    f.if(i32.ge_u(i32.sub(rows, row), wideRows), () => {
      const first = f.let(i32x4.splat(i32.load(table)))
      const groups = Array.from({ length: wideRows / 4 }, (_, group) =>
        i32x4.all_true(i32x4.eq(v128.load(table, 16 * group), i32x4.add(first, fourOffsets(16 * group)))),
      )
      f.set(isWide, all(groups))
    })
    f.if(
      isWide,
      () => {
        f.emit(f.call(`$packWide${name}`, to, i32.add(base, i32.load(table)), kTable, kCount))
        f.set(to, i32.add(to, i32.mul(kCount, 4 * wideRows)))
        f.set(row, i32.add(row, wideRows))
      },
      () => {
        for (let group = 0; group < panelRows; group += 4) {
          f.if(i32.lt_u(i32.add(row, group), rows), () => {
            const addresses = [0, 1, 2, 3].map((lane) => {
              const index = f.let(i32.add(row, group + lane))
              return i32.add(base, i32.load(entryAddress(rowTable, minimum(index, last))))
            })
            f.emit(
              f.call(
                '$packFour',
                i32.add(to, 4 * group),
                i32.const(4 * panelRows),
                ...addresses,
                kTable,
                kCount,
              ),
            )
          })
        }
        f.set(to, i32.add(to, i32.mul(kCount, 4 * panelRows)))
        f.set(row, i32.add(row, panelRows))
      },
    )
    return i32.lt_u(row, rows)
  })
  return f
}

/** `$packWide<Name>(to, from, kTable, kCount)`: 32 rows that lie next to one another, into 32 / panelRows panels. */
function packWide(name: string, panelRows: 4 | 8): FunctionBuilder {
  const f = new FunctionBuilder(`packWide${name}`)
  const to = f.param('to', 'i32')
  const from = f.param('from', 'i32')
  const kTable = f.param('kTable', 'i32')
  const kCount = f.param('kCount', 'i32')
  const stepBytes = 4 * panelRows
  const vectorsPerPanel = panelRows / 4
  const panelBytes = f.let(i32.mul(kCount, stepBytes))
  const panels = [to]
  while (panels.length < wideRows / panelRows) panels.push(f.let(i32.add(panels.at(-1)!, panelBytes)))
  const end = f.let(entryAddress(kTable, kCount))
  const source = f.local('i32', 'source')
  const copyStep = (step: number): void => {
    f.set(source, i32.add(from, i32.load(kTable, 4 * step)))
    for (let vector = 0; vector < wideRows / 4; vector++) {
      const panel = panels[Math.floor(vector / vectorsPerPanel)]!
      const offset = step * stepBytes + (vector % vectorsPerPanel) * 16
      f.emit(v128.store(panel, v128.load(source, 16 * vector), offset))
    }
  }
  f.while(
    () => i32.le_u(i32.add(kTable, 8), end),
    () => {
      copyStep(0)
      copyStep(1)
      for (const panel of panels) f.set(panel, i32.add(panel, 2 * stepBytes))
      f.set(kTable, i32.add(kTable, 8))
    },
  )
  f.if(i32.lt_u(kTable, end), () => copyStep(0))
  return f
}

/**
 * `$packFour(to, step, row0, row1, row2, row3, kTable, kCount)`: four rows at any addresses; each value of k fills 16 bytes,
 * `step` bytes from those of the one before.
 */
export function packFour(): FunctionBuilder {
  const f = new FunctionBuilder('packFour')
  const to = f.param('to', 'i32')
  const step = f.param('step', 'i32')
  const rows = [0, 1, 2, 3].map((row) => f.param(`row${row}`, 'i32'))
  const kTable = f.param('kTable', 'i32')
  const kCount = f.param('kCount', 'i32')
  const [row0, row1, row2, row3] = rows as [Local, Local, Local, Local]
  const end = f.let(entryAddress(kTable, kCount))
  const source = f.local('i32', 'source')

  const nextStep = (): void => f.set(to, i32.add(to, step))
  const forEachK = (body: () => void): void =>
    f.for(kTable, end, 4, () => {
      body()
      nextStep()
    })
  const isSpaced = (bytes: number): Wat =>
    all([row1, row2, row3].map((row, i) => i32.eq(i32.sub(row, row0), (i + 1) * bytes)))

  f.if(isSpaced(4), () => {
    copyByFours(f, { to, row: row0, kTable, end, nextStep })
    forEachK(() => f.emit(v128.store(to, v128.load(i32.add(row0, i32.load(kTable))))))
    f.return()
  })

  f.if(isSpaced(8), () => {
    forEachK(() => {
      f.set(source, i32.add(row0, i32.load(kTable)))
      f.emit(v128.store(to, shuffle32(v128.load(source), v128.load(source, 16), [0, 2, 4, 6])))
    })
    f.return()
  })

  // Two runs: each lane continues the run that starts in the first lane, or belongs to the one that ends in the last.
  const addresses = rows.reduce<Wat>((vector, row, lane) => i32x4.replace_lane(lane, vector, row), zeroVector)
  const places = f.let(addresses)
  const inFirstRun = f.let(i32x4.eq(places, i32x4.add(i32x4.splat(row0), fourOffsets(0))))
  const inLastRun = i32x4.eq(places, i32x4.add(i32x4.splat(row3), fourOffsets(-12)))
  f.if(i32x4.all_true(v128.or(inFirstRun, inLastRun)), () => {
    const lastRun = f.let(i32.sub(row3, 12))
    forEachK(() => {
      f.set(source, i32.load(kTable))
      const first = v128.load(i32.add(row0, source))
      const second = v128.load(i32.add(lastRun, source))
      f.emit(v128.store(to, v128.bitselect(first, second, inFirstRun)))
    })
    f.return()
  })

  const gathered = f.local('v128', 'gathered')
  const gather = (): void => {
    f.set(source, i32.load(kTable))
    f.set(gathered, v128.load32_zero(i32.add(row0, source)))
    for (const lane of [1, 2, 3]) {
      f.set(gathered, v128.load32_lane(lane, i32.add(rows[lane]!, source), gathered))
    }
    f.emit(v128.store(to, gathered))
    nextStep()
    f.set(kTable, i32.add(kTable, 4))
  }
  f.while(
    () => i32.lt_u(kTable, end),
    () =>
      f.if(
        i32.ge_u(i32.sub(end, kTable), 16),
        () => {
          const offsets = f.let(v128.load(kTable))
          f.set(source, i32x4.extract_lane(0, offsets))
          f.if(
            i32x4.all_true(i32x4.eq(offsets, i32x4.add(i32x4.splat(source), fourOffsets(0)))),
            () => {
              transposeFour(f, { to, rows, source, nextStep })
              f.set(kTable, i32.add(kTable, 16))
            },
            gather,
          )
        },
        gather,
      ),
  )
  return f
}

/** Four values of k at a time while there are so many: the loop's own cost is shared by four copies. */
function copyByFours(
  f: FunctionBuilder,
  {
    to,
    row,
    kTable,
    end,
    nextStep,
  }: { to: Local; row: Local; kTable: Local; end: Local; nextStep: () => void },
): void {
  f.while(
    () => i32.ge_u(i32.sub(end, kTable), 16),
    () => {
      for (const i of [0, 1, 2, 3]) {
        f.emit(v128.store(to, v128.load(i32.add(row, i32.load(kTable, 4 * i)))))
        nextStep()
      }
      f.set(kTable, i32.add(kTable, 16))
    },
  )
}

/** Reads four elements along k of each row and writes them as four steps of four rows. */
function transposeFour(
  f: FunctionBuilder,
  { to, rows, source, nextStep }: { to: Local; rows: readonly Local[]; source: Local; nextStep: () => void },
): void {
  const [r0, r1, r2, r3] = rows.map((row) => f.let(v128.load(i32.add(row, source)))) as [
    Local,
    Local,
    Local,
    Local,
  ]
  const low01 = f.let(shuffle32(r0, r1, [0, 4, 1, 5]))
  const low23 = f.let(shuffle32(r2, r3, [0, 4, 1, 5]))
  const high01 = f.let(shuffle32(r0, r1, [2, 6, 3, 7]))
  const high23 = f.let(shuffle32(r2, r3, [2, 6, 3, 7]))
  const steps = [
    shuffle32(low01, low23, [0, 1, 4, 5]),
    shuffle32(low01, low23, [2, 3, 6, 7]),
    shuffle32(high01, high23, [0, 1, 4, 5]),
    shuffle32(high01, high23, [2, 3, 6, 7]),
  ]
  for (const values of steps) {
    f.emit(v128.store(to, values))
    nextStep()
  }
}
