// The loops around calls of a native library: batch > block of columns > part of k > block of rows > one call of `gemm`.
// Operands that are matrices are handed over where they lie; of others a block is copied into a slab first, and a slab of
// C is copied out when its sums are complete. The module exports `k(param, from, to, scratch)`, which does parts `from` to
// `to`; their parameter blocks lie side by side from `param` on. Read next: copy.ts, gemm.ts.
import { entry, entryAddress, minimum } from '../contract/code.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f64, i32, select } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { copyFunctions } from './copy.ts'
import { gemmNames } from './gemm.ts'
import { blasParameters, blasPartBytes, type BlasParameter } from './parameters.ts'

/** The functions of the module for one element type. */
export function blasFunctions(dtype: 'float32' | 'float64'): FunctionBuilder[] {
  const bytes = dtype === 'float32' ? 4 : 8
  return [...copyFunctions(bytes), run(gemmNames[dtype], bytes), parts()]
}

/** A word of the parameter block at `block`. */
function parameter(block: Wat, name: BlasParameter): Wat {
  return i32.load(block, 4 * blasParameters.words[name])
}

function parts(): FunctionBuilder {
  const f = new FunctionBuilder('parts', 'k')
  const param = f.param('param', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')
  f.for(from, to, 1, () => f.emit(f.call('$run', i32.add(param, i32.mul(from, blasPartBytes)), scratch)))
  return f
}

/** A block of A or B: its first row and column (indices of the operand), and how many there are. */
interface OperandBlock {
  readonly name: 'a' | 'b'
  readonly base: Local
  readonly rowTable: 'aM' | 'bK'
  readonly columnTable: 'aK' | 'bN'
  readonly row: Local
  readonly column: Local
  readonly rows: Local
  readonly columns: Local
}

function run(gemm: string, bytes: 4 | 8): FunctionBuilder {
  const f = new FunctionBuilder('run')
  const block = f.param('block', 'i32')
  const scratch = f.param('scratch', 'i32')
  const word = (name: BlasParameter): Wat => parameter(block, name)
  const batch = f.let(word('batchFrom'), 'batch')
  const [row, column, part] = ['row', 'column', 'part'].map((name) => f.local('i32', name)) as Three
  const [rows, columns, length] = ['rows', 'columns', 'length'].map((name) => f.local('i32', name)) as Three
  const rest = f.local('i32', 'rest')
  const extent = (most: BlasParameter, end: BlasParameter, from: Local): Wat => {
    f.set(rest, i32.sub(word(end), from))
    return minimum(word(most), rest)
  }
  const placeOfA = operandPlace(f, word, scratch, bytes)
  const placeOfB = operandPlace(f, word, scratch, bytes)

  f.doWhile(() => {
    const a = f.let(i32.add(word('a'), entry(word('aBatch'), batch)), 'a')
    const b = f.let(i32.add(word('b'), entry(word('bBatch'), batch)), 'b')
    const c = f.let(i32.add(word('c'), entry(word('cBatch'), batch)), 'c')
    f.set(column, word('nFrom'))
    f.doWhile(() => {
      f.set(columns, extent('nBlock', 'nTo', column))
      f.set(part, 0)
      f.doWhile(() => {
        f.set(length, extent('kBlock', 'k', part))
        const bPlace = placeOfB({
          name: 'b',
          base: b,
          rowTable: 'bK',
          columnTable: 'bN',
          row: part,
          column,
          rows: length,
          columns,
        })
        f.set(row, word('mFrom'))
        f.doWhile(() => {
          f.set(rows, extent('mBlock', 'mTo', row))
          const aPlace = placeOfA({
            name: 'a',
            base: a,
            rowTable: 'aM',
            columnTable: 'aK',
            row,
            column: part,
            rows,
            columns: length,
          })
          const slabRow = i32.mul(i32.mul(i32.sub(row, word('mFrom')), word('cStride')), bytes)
          const inSlab = i32.add(i32.add(scratch, word('cSlab')), slabRow)
          const inC = i32.add(c, i32.add(entry(word('cM'), row), entry(word('cN'), column)))
          const operands = [
            word('aTransposed'),
            word('bTransposed'),
            rows,
            columns,
            length,
            aPlace,
            word('aStride'),
            bPlace,
            word('bStride'),
            i32.ne(part, 0),
            select(inSlab, inC, word('cIsSlab')),
            word('cStride'),
          ]
          f.let(f.callHost(gemm, ...operands.map((value) => f64.convert_i32_u(value))))
          return i32.lt_u(f.tee(row, i32.add(row, rows)), word('mTo'))
        })
        return i32.lt_u(f.tee(part, i32.add(part, length)), word('k'))
      })
      f.if(word('cIsSlab'), () => {
        const slab = i32.add(scratch, word('cSlab'))
        const pitch = i32.mul(word('cStride'), bytes)
        const rowTable = entryAddress(word('cM'), word('mFrom'))
        const height = i32.sub(word('mTo'), word('mFrom'))
        const columnTable = entryAddress(word('cN'), column)
        const steps = [word('cRun'), word('cStep')]
        f.emit(f.call('$scatter', slab, pitch, c, rowTable, height, columnTable, columns, ...steps))
      })
      return i32.lt_u(f.tee(column, i32.add(column, columns)), word('nTo'))
    })
    return i32.lt_u(f.tee(batch, i32.add(batch, 1)), word('batchTo'))
  })
  return f
}

type Three = [Local, Local, Local]

/**
 * Where the library finds a block of an operand: at its place, or in the slab that it is copied to, unless it is the very
 * block that the slab holds already. The two operands have one such function each.
 */
function operandPlace(
  f: FunctionBuilder,
  word: (name: BlasParameter) => Wat,
  scratch: Local,
  bytes: 4 | 8,
): (block: OperandBlock) => Local {
  const [heldBase, heldRow, heldColumn] = ['heldBase', 'heldRow', 'heldColumn'].map((name) =>
    f.local('i32', name),
  ) as Three
  const isHeld = f.local('i32', 'isHeld')
  const place = f.local('i32', 'place')
  return ({ name, base, rowTable, columnTable, row, column, rows, columns }) => {
    f.if(
      word(`${name}IsSlab`),
      () => {
        f.set(place, i32.add(scratch, word(`${name}Slab`)))
        const isSame = i32.and(
          i32.and(isHeld, i32.eq(heldBase, base)),
          i32.and(i32.eq(heldRow, row), i32.eq(heldColumn, column)),
        )
        f.if(i32.eqz(isSame), () => {
          f.set(isHeld, 1)
          f.set(heldBase, base)
          f.set(heldRow, row)
          f.set(heldColumn, column)
          const alongRows = [entryAddress(word(rowTable), row), rows]
          const alongColumns = [entryAddress(word(columnTable), column), columns]
          const gather = (outer: readonly Wat[], inner: readonly Wat[]): void =>
            f.emit(
              f.call(
                '$gather',
                place,
                i32.mul(word(`${name}Stride`), bytes),
                base,
                ...outer,
                ...inner,
                word(`${name}Run`),
                word(`${name}Step`),
              ),
            )
          f.if(
            word(`${name}Transposed`),
            () => gather(alongColumns, alongRows),
            () => gather(alongRows, alongColumns),
          )
        })
      },
      () => {
        const offset = i32.add(entry(word(rowTable), row), entry(word(columnTable), column))
        f.set(place, i32.add(base, offset))
      },
    )
    return place
  }
}
