// The op table: every public function of every family by name. Methods of Tensor, generated tests and tools are made from
// it, so a new op appears everywhere by being exported from its family.
import type { OpFacts } from './op.ts'
import * as adaptivePool from './ops/adaptive-pool.ts'
import * as conv from './ops/conv.ts'
import * as einsum from './ops/einsum.ts'
import * as indexing from './ops/indexing.ts'
import * as linalg from './ops/linalg.ts'
import * as matrix from './ops/matrix.ts'
import * as decompositions from './ops/decompositions.ts'
import * as matrixFunctions from './ops/matrix-functions.ts'
import * as complex from './ops/complex.ts'
import * as fourier from './ops/fourier.ts'
import * as spectrogram from './ops/spectrogram.ts'
import * as grid from './ops/grid.ts'
import * as selection from './ops/selection.ts'
import * as counting from './ops/counting.ts'
import * as arrange from './ops/arrange.ts'
import * as specialForms from './ops/special-forms.ts'
import * as tensorProducts from './ops/tensor-products.ts'
import * as pool from './ops/pool.ts'
import * as scatter from './ops/scatter.ts'
import * as overwrite from './ops/overwrite.ts'
import * as sorting from './ops/sorting.ts'
import * as attention from './ops/attention.ts'
import * as distance from './ops/distance.ts'
import * as image from './ops/image.ts'
import * as normalization from './ops/normalization.ts'
import * as resize from './ops/resize.ts'
import * as softmax from './ops/softmax.ts'
import * as activation from './ops/activation.ts'
import * as arithmetic from './ops/arithmetic.ts'
import * as compare from './ops/compare.ts'
import * as create from './ops/create.ts'
import * as diagonal from './ops/diagonal.ts'
import * as elementwise from './ops/elementwise.ts'
import * as join from './ops/join.ts'
import * as padding from './ops/padding.ts'
import * as random from './ops/random.ts'
import * as reduce from './ops/reduce.ts'
import * as repeat from './ops/repeat.ts'
import * as scan from './ops/scan.ts'
import * as slicing from './ops/slicing.ts'
import * as special from './ops/special.ts'
import * as statistics from './ops/statistics.ts'
import * as view from './ops/view.ts'
import * as window from './ops/window.ts'

/** The modules of ops, by family. */
export const families: Readonly<Record<string, object>> = {
  arithmetic,
  elementwise,
  special,
  activation,
  compare,
  reduce,
  statistics,
  scan,
  view,
  slicing,
  window,
  diagonal,
  join,
  padding,
  repeat,
  linalg,
  tensorProducts,
  specialForms,
  arrange,
  counting,
  selection,
  grid,
  spectrogram,
  fourier,
  complex,
  matrixFunctions,
  decompositions,
  matrix,
  einsum,
  conv,
  pool,
  adaptivePool,
  indexing,
  scatter,
  overwrite,
  sorting,
  softmax,
  normalization,
  attention,
  image,
  resize,
  distance,
  create,
  random,
}

/** A function of the table, whatever its arguments. */
export interface AnyOp {
  (...args: never[]): unknown
  readonly op: OpFacts
  readonly method: boolean
}

/** Every op by name. */
export const ops: Readonly<Record<string, AnyOp>> = collect()

function collect(): Record<string, AnyOp> {
  const table: Record<string, AnyOp> = {}
  for (const module of Object.values(families)) {
    for (const [name, exported] of Object.entries(module)) {
      if (typeof exported !== 'function' || !('op' in exported)) continue
      if (name in table) throw new Error(`two ops are called '${name}'`)
      table[name] = exported as AnyOp
    }
  }
  return table
}
