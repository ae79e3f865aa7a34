// The routines, as routine.ts words them: contraction, sorting, scans and random numbers. Gather and scatter-add, which
// look at indices, are in indexed.ts. Nothing here is blocked or vectorised; each loop is its definition.
import type { Executable, Place } from '../backend.ts'
import type { DType } from '../dtype.ts'
import { philoxNormal, philoxUniform, type PhiloxStream } from '../reference/philox.ts'
import type { ArgsortSpec, ContractSpec, RandomSpec, ScanSpec } from '../routine.ts'
import { offsetsOf } from './axes.ts'
import { assertInside, cellsOf, type Cells, type InterpreterMemory } from './memory.ts'
import { combinationOf, identityOf, storingOf } from './values.ts'

/** C[b, m, n] = the sum over k of A[b, m, k] * B[b, k, n]. */
export function prepareContract(memory: InterpreterMemory, spec: ContractSpec, round: boolean): Executable {
  const { a, b, c, dtype } = spec
  const unit = cellsOf(dtype)
  const store = storingOf(dtype, round)
  const multiplyAdd =
    dtype === 'int32'
      ? (sum: number, left: number, right: number): number => (sum + Math.imul(left, right)) | 0
      : (sum: number, left: number, right: number): number => sum + left * right
  const aBatch = offsetsOf(spec.batch, a.batch)
  const bBatch = offsetsOf(spec.batch, b.batch)
  const cBatch = offsetsOf(spec.batch, c.batch)
  const [aRows, cRows] = [offsetsOf(spec.m, a.m), offsetsOf(spec.m, c.m)]
  const [bColumns, cColumns] = [offsetsOf(spec.n, b.n), offsetsOf(spec.n, c.n)]
  const [aInner, bInner] = [offsetsOf(spec.k, a.k), offsetsOf(spec.k, b.k)]
  return {
    run(places) {
      const [aCells, bCells, cCells] = spec.slots.map((slot) => memory.cells(places[slot]!)) as [
        Cells,
        Cells,
        Cells,
      ]
      for (let batch = 0; batch < cBatch.length; batch++) {
        for (let row = 0; row < cRows.length; row++) {
          const aStart = a.offset + aBatch[batch]! + aRows[row]!
          for (let column = 0; column < cColumns.length; column++) {
            const bStart = b.offset + bBatch[batch]! + bColumns[column]!
            let sum = 0
            for (let k = 0; k < aInner.length; k++) {
              const left = aCells.values[aCells.start + (aStart + aInner[k]!) * unit]!
              const right = bCells.values[bCells.start + (bStart + bInner[k]!) * unit]!
              sum = multiplyAdd(sum, left, right)
            }
            const target = c.offset + cBatch[batch]! + cRows[row]! + cColumns[column]!
            cCells.values[cCells.start + target * unit] = store(sum)
          }
        }
      }
    },
    dispose() {},
  }
}

/** For each row, the indices that would sort it. */
export function prepareArgsort(memory: InterpreterMemory, spec: ArgsortSpec): Executable {
  const { rows, length, descending } = spec
  const unit = cellsOf(spec.dtype)
  return {
    run(places) {
      const source = wholeBuffer(memory, places[spec.slots[0]]!, spec.dtype, rows * length)
      const out = wholeBuffer(memory, places[spec.slots[1]]!, 'int32', rows * length)
      for (let row = 0; row < rows; row++) {
        const valueAt = (index: number): number =>
          source.values[source.start + (row * length + index) * unit]!
        const order = Array.from({ length }, (_, index) => index)
        // The sort of JavaScript is stable; equal elements keep their order when descending as well.
        order.sort((i, j) => (descending ? compare(valueAt(j), valueAt(i)) : compare(valueAt(i), valueAt(j))))
        out.values.set(order, out.start + row * length)
      }
    },
    dispose() {},
  }
}

/** Order of numbers in which NaN is equal to itself and larger than every other. */
function compare(a: number, b: number): number {
  const aMissing = Number.isNaN(a)
  const bMissing = Number.isNaN(b)
  if (aMissing || bMissing) return Number(aMissing) - Number(bMissing)
  return a < b ? -1 : a > b ? 1 : 0
}

/** Running reductions along rows. */
export function prepareScan(memory: InterpreterMemory, spec: ScanSpec, round: boolean): Executable {
  const { rows, length, dtype } = spec
  const unit = cellsOf(dtype)
  const store = storingOf(dtype, round)
  const combine = combinationOf(spec.fn, dtype)
  return {
    run(places) {
      const source = wholeBuffer(memory, places[spec.slots[0]]!, dtype, rows * length)
      const out = wholeBuffer(memory, places[spec.slots[1]]!, dtype, rows * length)
      for (let row = 0; row < rows; row++) {
        let accumulated = identityOf(spec.fn, dtype)
        for (let i = row * length; i < (row + 1) * length; i++) {
          accumulated = combine(accumulated, source.values[source.start + i * unit]!)
          out.values[out.start + i * unit] = store(accumulated)
        }
      }
    },
    dispose() {},
  }
}

/** Random numbers: the definition of the stream is reference/philox.ts. */
export function prepareRandom(memory: InterpreterMemory, spec: RandomSpec, round: boolean): Executable {
  const { length, dtype } = spec
  const unit = cellsOf(dtype)
  const store = storingOf(dtype, round)
  const draw = spec.distribution === 'uniform' ? philoxUniform : philoxNormal
  return {
    run(places, numbers) {
      const out = wholeBuffer(memory, places[spec.slots[0]]!, dtype, length)
      const [key0, key1, counter0, counter1] = spec.numbers.map((index) => numbers[index]!) as [
        number,
        number,
        number,
        number,
      ]
      const stream: PhiloxStream = { key: [key0, key1], counter: [0, counter0, counter1] }
      for (let element = 0; element < length; element++) {
        out.values[out.start + element * unit] = store(draw(stream, element))
      }
    },
    dispose() {},
  }
}

/** The cells of a row-major buffer of `length` elements. */
export function wholeBuffer(memory: InterpreterMemory, place: Place, dtype: DType, length: number): Cells {
  const cells = memory.cells(place)
  assertInside(cells, 0, length * cellsOf(dtype) - 1)
  return cells
}
