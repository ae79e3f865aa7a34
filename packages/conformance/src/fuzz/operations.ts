// What the fuzzer's programs are made of, and how often. Fusion is decided by maps, reductions and views, so these come
// most. Read before: operands.ts. Read next: generate.ts.
import { join, nestedJoin, pad, spliced, triangle, view } from './arrangements.ts'
import { binary, compare, constant, convert, quotient, unary, where, withNumber } from './maps.ts'
import type { Extend } from './operands.ts'
import {
  attention,
  chosen,
  composite,
  convolution,
  dense,
  gather,
  matmul,
  scatterAdd,
  sumOfProducts,
  sumOfReductions,
} from './products.ts'
import { anyOrAll, argReduce, product, reduce, running } from './reductions.ts'

/** A way to extend a program. */
export interface Operation {
  /** How often it is tried, in comparison to others. */
  readonly weight: number
  readonly extend: Extend
}

/** All operations. */
export const operations: readonly Operation[] = [
  { weight: 10, extend: unary },
  { weight: 14, extend: binary },
  { weight: 2, extend: quotient },
  { weight: 5, extend: withNumber },
  { weight: 3, extend: compare },
  { weight: 4, extend: where },
  { weight: 3, extend: convert },
  { weight: 1, extend: constant },
  { weight: 12, extend: reduce },
  { weight: 1, extend: product },
  { weight: 1, extend: anyOrAll },
  { weight: 2, extend: argReduce },
  { weight: 1, extend: running },
  { weight: 12, extend: view },
  { weight: 3, extend: join },
  { weight: 1, extend: nestedJoin },
  { weight: 2, extend: pad },
  { weight: 1, extend: spliced },
  { weight: 1, extend: triangle },
  { weight: 4, extend: matmul },
  { weight: 2, extend: sumOfProducts },
  { weight: 1, extend: sumOfReductions },
  { weight: 4, extend: dense },
  { weight: 5, extend: composite },
  { weight: 2, extend: gather },
  { weight: 1, extend: chosen },
  { weight: 1, extend: convolution },
  { weight: 2, extend: attention },
  { weight: 1, extend: scatterAdd },
]
