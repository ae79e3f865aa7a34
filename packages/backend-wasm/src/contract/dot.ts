// The dot path, for up to three rows whose factors are contiguous along k (a vector times the rows of a matrix): rows one
// by one, four columns at a time, each a running sum in one vector that is added up at the end. Nothing is packed, because
// each element of B is used once a row. The order of additions differs from the other paths': this is the one path whose
// bits depend on the layout of the operands. Read next: plan.ts.
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, f32x4, i32, v128 } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'
import { entry, minimum, parameter, zeroVector } from './code.ts'

const columnsAtOnce = [0, 1, 2, 3]

/** The functions of the dot path; parts.ts calls its `$run(block)`. */
export function dotFunctions(): FunctionBuilder[] {
  const f = new FunctionBuilder('run')
  const block = f.param('block', 'i32')
  const bytes = f.let(i32.shl(parameter(block, 'k'), 2), 'bytes')
  const vectorBytes = f.let(i32.and(bytes, -16), 'vectorBytes')
  const nTo = f.let(parameter(block, 'nTo'), 'nTo')
  const lastColumn = f.let(i32.sub(nTo, 1), 'lastColumn')
  const batch = f.let(parameter(block, 'batchFrom'), 'batch')
  const row = f.local('i32', 'row')
  const column = f.local('i32', 'column')
  const place = f.local('i32', 'place')
  const factor = f.local('v128', 'factor')
  const sums = columnsAtOnce.map(() => f.local('v128', 'sum'))
  const columns = columnsAtOnce.map(() => f.local('i32', 'columnAddress'))
  const results = columnsAtOnce.map(() => f.local('f32', 'result'))
  f.doWhile(() => {
    const a = f.let(i32.add(parameter(block, 'a'), entry(parameter(block, 'aBatch'), batch)), 'a')
    const b = f.let(i32.add(parameter(block, 'b'), entry(parameter(block, 'bBatch'), batch)), 'b')
    const c = f.let(i32.add(parameter(block, 'c'), entry(parameter(block, 'cBatch'), batch)), 'c')
    f.set(row, parameter(block, 'mFrom'))
    f.doWhile(() => {
      const rowAddress = f.let(i32.add(a, entry(parameter(block, 'aM'), row)), 'rowAddress')
      const resultRow = f.let(i32.add(c, entry(parameter(block, 'cM'), row)), 'resultRow')
      f.set(column, parameter(block, 'nFrom'))
      f.doWhile(() => {
        for (const i of columnsAtOnce) {
          const index = f.let(i32.add(column, i))
          f.set(columns[i]!, i32.add(b, entry(parameter(block, 'bN'), minimum(index, lastColumn))))
          f.set(sums[i]!, zeroVector)
        }
        f.set(place, 0)
        f.for(place, vectorBytes, 16, () => {
          f.set(factor, v128.load(i32.add(rowAddress, place)))
          for (const i of columnsAtOnce) {
            const products = f32x4.mul(factor, v128.load(i32.add(columns[i]!, place)))
            f.set(sums[i]!, f32x4.add(sums[i]!, products))
          }
        })
        for (const i of columnsAtOnce) f.set(results[i]!, sumOfLanes(sums[i]!))
        f.for(place, bytes, 4, () => {
          const single = f.let(f32.load(i32.add(rowAddress, place)))
          for (const i of columnsAtOnce) {
            const product = f32.mul(single, f32.load(i32.add(columns[i]!, place)))
            f.set(results[i]!, f32.add(results[i]!, product))
          }
        })
        for (const i of columnsAtOnce) {
          const index = f.let(i32.add(column, i))
          f.if(i32.lt_u(index, nTo), () => {
            f.emit(f32.store(i32.add(resultRow, entry(parameter(block, 'cN'), index)), results[i]!))
          })
        }
        return i32.lt_u(f.tee(column, i32.add(column, 4)), nTo)
      })
      return i32.lt_u(f.tee(row, i32.add(row, 1)), parameter(block, 'mTo'))
    })
    return i32.lt_u(f.tee(batch, i32.add(batch, 1)), parameter(block, 'batchTo'))
  })
  return [f]
}

function sumOfLanes(vector: Wat): Wat {
  const lane = (i: number): Wat => f32x4.extract_lane(i, vector)
  return f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)))
}
