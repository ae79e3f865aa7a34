// The entrance to the code of every contraction path: `k(param, from, to, scratch)` does parts `from` to `to`, whose
// parameter blocks lie side by side from `param` on. A part is done by one thread at a time, so it may be told in its own
// block which scratch space to use: that of the thread. Read next: contract.ts, which fills the blocks.
import { FunctionBuilder } from '../wat/builder.ts'
import { i32 } from '../wat/instructions.ts'
import { parameter } from './code.ts'
import { callFinish, finishBytes } from './finish.ts'
import { contractParameters, type ContractParameter } from './parameters.ts'
import { columnBlock, longestKBlock, rowBlock, tileColumns } from './plan.ts'

/** Bytes from one part's block to the next: whole cache lines. */
export const partBytes: number = Math.ceil((4 * contractParameters.length) / 64) * 64

// Packed panels of eight columns may reach past a block's last column.
const packedABytes = 4 * longestKBlock * (rowBlock + tileColumns)
const packedBBytes = 4 * longestKBlock * (columnBlock + tileColumns)
const tileBytes = 256

/** Where each piece of a thread's scratch space begins. */
const scratchPlaces = {
  packedA: 0,
  packedB: packedABytes,
  tile: packedABytes + packedBBytes,
  finish: packedABytes + packedBBytes + tileBytes,
} as const

/** Bytes of scratch space that a thread needs: packed blocks, one tile, and the parameters of fused maps. */
export const scratchBytes: number = scratchPlaces.finish + finishBytes

/**
 * The exported function `k`. Its module has a function `$run(block)`.
 * @param finishing whether fused maps are still to be done when that returns: `$finish` is called for the whole part
 */
export function partsFunction(finishing: boolean): FunctionBuilder {
  const f = new FunctionBuilder('parts', 'k')
  const param = f.param('param', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')
  f.for(from, to, 1, () => {
    const block = f.let(i32.add(param, i32.mul(from, partBytes)), 'block')
    for (const [name, place] of Object.entries(scratchPlaces) as [ContractParameter, number][]) {
      f.emit(i32.store(block, i32.add(scratch, place), 4 * contractParameters.words[name]))
    }
    f.emit(f.call('$run', block))
    if (!finishing) return
    const batch = f.let(parameter(block, 'batchFrom'), 'batch')
    f.doWhile(() => {
      const rows = [parameter(block, 'mFrom'), parameter(block, 'mTo')] as const
      const columns = [parameter(block, 'nFrom'), parameter(block, 'nTo')] as const
      callFinish(f, block, batch, rows, columns)
      return i32.lt_u(f.tee(batch, i32.add(batch, 1)), parameter(block, 'batchTo'))
    })
  })
  return f
}
