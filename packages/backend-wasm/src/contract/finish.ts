// `$finish(block, batch, rowFrom, rowTo, columnFrom, columnTo)`: the maps fused into a contraction, for a block of C that is
// complete and has just been written. For each rectangle of it (mostly one) it writes a parameter block for `$kernel`, an
// ordinary kernel over two axes, into the thread's scratch space and calls it. Read before: epilogue.ts.
import type { Kernel } from '@nabla/engine'
import { kernelFunction } from '../emit/emit.ts'
import type { ParameterLayout } from '../emit/layout.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { entry, minimum, parameter } from './code.ts'

/** Room in a thread's scratch space for the parameters of a kernel. */
export const finishBytes = 2048

/** Byte offsets inside the block that describes fused maps: see {@link EpilogueBlock}. */
export interface EpilogueWords {
  readonly outerLength: number
  readonly innerLength: number
  /** Where an argument's first element lies. */
  base(arg: number): number
  /** Its offset tables: over batches, downwards, along rows. */
  table(arg: number, level: number): number
  /** Parameters of the kernel in which all but sizes and bases is written already. */
  readonly parameters: number
}

export function epilogueWords(args: number): EpilogueWords {
  return {
    outerLength: 0,
    innerLength: 4,
    base: (arg) => 16 + 16 * arg,
    table: (arg, level) => 16 + 16 * arg + 4 * (1 + level),
    parameters: 16 + 16 * args,
  }
}

/** The functions of fused maps, and the layout of their kernel's parameters. @param innerIsN whether C's neighbours are columns of the product */
export function finishFunctions(
  kernel: Kernel,
  innerIsN: boolean,
): { readonly functions: readonly FunctionBuilder[]; readonly layout: ParameterLayout } {
  const { code, layout } = kernelFunction(kernel, { form: 'rows', axes: [0, 1], outerRank: 1 })
  return { functions: [code, finish(kernel, layout, innerIsN)], layout }
}

/** The call of `$finish` for a block. */
export function callFinish(
  f: FunctionBuilder,
  block: Wat,
  batch: Wat,
  rows: readonly [Wat, Wat],
  columns: readonly [Wat, Wat],
): void {
  f.emit(f.call('$finish', block, batch, ...rows, ...columns))
}

function finish(kernel: Kernel, layout: ParameterLayout, innerIsN: boolean): FunctionBuilder {
  const f = new FunctionBuilder('finish')
  const block = f.param('block', 'i32')
  const batch = f.param('batch', 'i32')
  const [rowFrom, rowTo] = [f.param('rowFrom', 'i32'), f.param('rowTo', 'i32')]
  const [columnFrom, columnTo] = [f.param('columnFrom', 'i32'), f.param('columnTo', 'i32')]
  const [outer, outerTo] = innerIsN ? [rowFrom, rowTo] : [columnFrom, columnTo]
  const [innerFrom, innerTo] = innerIsN ? [columnFrom, columnTo] : [rowFrom, rowTo]
  const words = epilogueWords(kernel.args.length)
  const epilogue = f.let(parameter(block, 'epilogue'), 'epilogue')
  const own = f.let(parameter(block, 'finish'), 'own')
  for (let offset = 0; offset < layout.bytes; offset += 16) {
    f.emit(v128.store(own, v128.load(epilogue, words.parameters + offset), offset))
  }
  const [outerLength, innerLength] = [words.outerLength, words.innerLength].map((word) =>
    f.let(i32.load(epilogue, word), 'reach'),
  ) as [Local, Local]
  const table = (arg: number, level: number): Wat => i32.load(epilogue, words.table(arg, level))
  const places = kernel.args.map(() => f.local('i32', 'place'))
  const inner = f.local('i32', 'inner')
  const [rows, length, left] = [f.local('i32', 'rows'), f.local('i32', 'length'), f.local('i32', 'left')]
  /** As far as strides are constant, but not beyond the block. */
  const reach = (count: Local, from: Local, to: Local, most: Local): void => {
    f.set(count, i32.sub(most, i32.rem_u(from, most)))
    f.set(left, i32.sub(to, from))
    f.set(count, minimum(count, left))
  }
  f.doWhile(() => {
    reach(rows, outer, outerTo, outerLength)
    f.emit(i32.store(own, rows, layout.size(0)))
    places.forEach((place, arg) => {
      const start = i32.add(i32.load(epilogue, words.base(arg)), entry(table(arg, 0), batch))
      f.set(place, i32.add(start, entry(table(arg, 1), outer)))
    })
    f.set(inner, innerFrom)
    f.doWhile(() => {
      reach(length, inner, innerTo, innerLength)
      f.emit(i32.store(own, length, layout.size(1)))
      places.forEach((place, arg) => {
        f.emit(i32.store(own, i32.add(place, entry(table(arg, 2), inner)), layout.base(arg)))
      })
      f.emit(f.call('$kernel', own, i32.const(0), rows, i32.const(0)))
      return i32.lt_u(f.tee(inner, i32.add(inner, length)), innerTo)
    })
    return i32.lt_u(f.tee(outer, i32.add(outer, rows)), outerTo)
  })
  return f
}
