// Datasets: a length, and batches of rows by index. A batch is a record of tensors, by name: { x, y }. Everything lies on
// the host until a batch is made, so a dataset may be larger than a device. Read next: loader.ts, which goes through one.
import {
  checkDType,
  checkShape,
  DTypeError,
  dtypeOfArray,
  formatShape,
  hostArray,
  sameShape,
  ShapeError,
  sizeOf,
  ValueError,
  type DType,
} from '@nabla/engine'
import { cat, tensor, Tensor, type NumericArray, type TensorData } from '@nabla/tensor'
import { permutation } from './shuffle.ts'

/** Tensors of some rows, by field name; each has the number of rows as its first size. */
export type Batch<Names extends string = string> = { readonly [Name in Names]: Tensor }

/** Rows that can be fetched by index, many at a time. */
export interface Dataset<Names extends string = string> {
  /** Number of rows. */
  readonly length: number
  /** The rows at these indices, in this order. @throws ValueError for an index that is none */
  batch(indices: ArrayLike<number>): Batch<Names>
}

/** One field of an {@link ArrayDataset} with its shape given: typed arrays are kept as they are, not copied. */
export interface FieldData {
  readonly data: NumericArray
  /** Rows first. */
  readonly shape: readonly number[]
  /** Type of the tensors made of it. Default: that of the array. */
  readonly dtype?: DType
}

/** Anything a field can be made from. */
export type FieldInput = FieldData | TensorData | Tensor

interface Field {
  readonly data: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> }
  readonly rowShape: readonly number[]
  readonly rowSize: number
  readonly dtype: DType
}

/** A dataset over arrays: `new ArrayDataset({ x: images, y: labels })`. */
export class ArrayDataset<Names extends string = string> implements Dataset<Names> {
  readonly length: number
  readonly #fields: ReadonlyMap<string, Field>

  /** @throws ShapeError when fields differ in their number of rows, ValueError without fields */
  constructor(fields: { readonly [Name in Names]: FieldInput }) {
    if (typeof fields !== 'object' || fields === null)
      throw new ValueError(
        `ArrayDataset: fields by name are needed, for example { x, y }; got ${String(fields)}`,
      )
    const entries = Object.entries<FieldInput>(fields).map(
      ([name, input]) => [name, fieldOf(name, input)] as const,
    )
    if (entries.length === 0)
      throw new ValueError('ArrayDataset: at least one field is needed, for example { x, y }')
    const [firstName, first] = entries[0]!
    for (const [name, { rows }] of entries) {
      if (rows !== first.rows) {
        throw new ShapeError(
          `ArrayDataset: '${firstName}' has ${first.rows} rows but '${name}' has ${rows}; each row needs both`,
        )
      }
    }
    this.length = first.rows
    this.#fields = new Map(entries.map(([name, { field }]) => [name, field]))
  }

  /** Names of the fields. */
  get names(): Names[] {
    return [...this.#fields.keys()] as Names[]
  }

  batch(indices: ArrayLike<number>): Batch<Names> {
    checkIndices('ArrayDataset', indices, this.length)
    const batch: Record<string, Tensor> = {}
    for (const [name, { data, rowShape, rowSize, dtype }] of this.#fields) {
      // Bools are made by `tensor`, from the elements as they are: stored in a byte, 0.5 would become 0.
      const elements = hostArray(dtype === 'bool' ? 'float64' : dtype, indices.length * rowSize)
      for (let i = 0; i < indices.length; i++) {
        const from = indices[i]! * rowSize
        elements.set(data.subarray(from, from + rowSize), i * rowSize)
      }
      batch[name] = tensor(elements, { shape: [indices.length, ...rowShape], dtype })
    }
    return batch as Batch<Names>
  }
}

/** A dataset whose batches are changed by a function, tensors in, tensors out: scaling, augmentation. */
export function mapDataset<From extends string, To extends string>(
  dataset: Dataset<From>,
  change: (batch: Batch<From>) => Batch<To>,
): Dataset<To> {
  return { length: dataset.length, batch: (indices) => change(dataset.batch(indices)) }
}

/** Some rows of a dataset. @throws ValueError for an index that is none */
export function subset<Names extends string>(
  dataset: Dataset<Names>,
  indices: ArrayLike<number>,
): Dataset<Names> {
  checkIndices('subset', indices, dataset.length)
  const chosen = Int32Array.from(indices)
  return {
    length: chosen.length,
    batch(wanted) {
      checkIndices('subset', wanted, chosen.length)
      return dataset.batch(Int32Array.from(wanted, (i) => chosen[i]!))
    },
  }
}

/**
 * Splits a dataset at random into parts that together hold every row once.
 * @param parts row counts that add up to the length, or fractions that add up to 1
 * @param seed what the choice of rows follows from
 * @throws ValueError when they do not add up, and for a seed that is no non-negative integer
 */
export function randomSplit<Names extends string>(
  dataset: Dataset<Names>,
  parts: readonly number[],
  seed: number = 0,
): Dataset<Names>[] {
  const total = parts.reduce((sum, part) => sum + part, 0)
  const valid = parts.length > 0 && parts.every((part) => part >= 0)
  const counts = valid && total === dataset.length && parts.every((part) => Number.isInteger(part))
  const fractions = valid && !counts && Math.abs(total - 1) < 1e-9
  if (!counts && !fractions) {
    throw new ValueError(
      `randomSplit: [${parts.join(', ')}] must be row counts that add up to ${dataset.length}, or fractions that add up to 1`,
    )
  }
  const order = permutation(dataset.length, seed, 0)
  let share = 0
  let from = 0
  return parts.map((part) => {
    share += part
    const to = fractions ? Math.round(share * dataset.length) : from + part
    const piece = subset(dataset, order.subarray(from, to))
    from = to
    return piece
  })
}

/**
 * Datasets one after the other. All must have the same fields, of equal types and row shapes; batches that mix datasets say
 * so where they do not. Where batches are changed by tensor ops, concatenate first and use `mapDataset` on the result: rows
 * are then joined on the host, and every step has the same plan however they fall.
 * @throws ValueError for no datasets
 */
export function concatDatasets<Names extends string>(datasets: readonly Dataset<Names>[]): Dataset<Names> {
  if (datasets.length === 0) throw new ValueError('concatDatasets: at least one dataset is needed')
  const length = datasets.reduce((sum, dataset) => sum + dataset.length, 0)
  return {
    length,
    batch(indices) {
      checkIndices('concatDatasets', indices, length)
      if (indices.length === 0) return datasets[0]!.batch([])
      const pieces = runsOf(indices, datasets).map(({ dataset, rows }) => dataset.batch(rows))
      if (pieces.length === 1) return pieces[0]!
      const joined: Record<string, Tensor> = {}
      for (const name of new Set(pieces.flatMap((piece) => Object.keys(piece)))) {
        joined[name] = joinRows(
          name,
          pieces.map((piece) => (piece as Batch)[name]),
        )
      }
      return joined as Batch<Names>
    },
  }
}

/** One field of neighbouring pieces of a batch. */
function joinRows(name: string, pieces: readonly (Tensor | undefined)[]): Tensor {
  const tensors = pieces.map((piece) => {
    if (piece === undefined) throw new ValueError(`concatDatasets: not every dataset has a field '${name}'`)
    return piece
  })
  const first = tensors[0]!
  const rowShape = first.shape.slice(1)
  for (const { shape, dtype } of tensors) {
    if (!sameShape(shape.slice(1), rowShape)) {
      throw new ShapeError(
        `concatDatasets: rows of field '${name}' have shape ${formatShape(rowShape)} in one dataset and ` +
          `${formatShape(shape.slice(1))} in another`,
      )
    }
    if (dtype !== first.dtype)
      throw new DTypeError(
        `concatDatasets: field '${name}' is ${first.dtype} in one dataset and ${dtype} in another`,
      )
  }
  if (tensors.some(({ host }) => host === null)) return cat(tensors, 0)
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const elements = hostArray(first.dtype, rows * sizeOf(rowShape))
  let filled = 0
  for (const { host } of tensors) {
    elements.set(host!, filled)
    filled += host!.length
  }
  return tensor(elements, { shape: [rows, ...rowShape], dtype: first.dtype })
}

/** Neighbouring indices that fall into one dataset, fetched together. */
function runsOf<Names extends string>(
  indices: ArrayLike<number>,
  datasets: readonly Dataset<Names>[],
): { dataset: Dataset<Names>; rows: number[] }[] {
  const runs: { dataset: Dataset<Names>; rows: number[] }[] = []
  for (let i = 0; i < indices.length; i++) {
    let which = 0
    let row = indices[i]!
    while (row >= datasets[which]!.length) row -= datasets[which++]!.length
    const last = runs.at(-1)
    if (last !== undefined && last.dataset === datasets[which]) last.rows.push(row)
    else runs.push({ dataset: datasets[which]!, rows: [row] })
  }
  return runs
}

function checkIndices(op: string, indices: ArrayLike<number>, length: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!
    if (!(Number.isInteger(index) && index >= 0 && index < length)) {
      throw new ValueError(`${op}: row ${index} does not exist; there are ${length}`)
    }
  }
}

function fieldOf(name: string, input: FieldInput): { rows: number; field: Field } {
  const given = isFieldData(input) ? input : hostData(name, input)
  const { data, shape } = given
  if (!ArrayBuffer.isView(data) || !('subarray' in data)) {
    throw new ValueError(
      `ArrayDataset: field '${name}' with a shape needs a typed array as data; or give nested arrays`,
    )
  }
  const [rows, ...rowShape] = checkShape(`ArrayDataset: field '${name}'`, shape)
  if (rows === undefined)
    throw new ShapeError(`ArrayDataset: field '${name}' is a scalar; its first dimension must count rows`)
  const rowSize = sizeOf(rowShape)
  if (rows * rowSize !== data.length) {
    throw new ShapeError(
      `ArrayDataset: field '${name}' has ${data.length} elements, which do not fill [${shape.join(', ')}]`,
    )
  }
  const dtype = checkDType(given.dtype ?? dtypeOfArray(data))
  return { rows, field: { data, rowShape, rowSize, dtype } }
}

function isFieldData(input: FieldInput): input is FieldData {
  return (
    typeof input === 'object' &&
    input !== null &&
    !Array.isArray(input) &&
    'data' in input &&
    'shape' in input &&
    !('stride' in input) &&
    !(input instanceof Tensor)
  )
}

function hostData(name: string, input: TensorData | Tensor): FieldData {
  const made = input instanceof Tensor ? input : tensor(input)
  if (made.host === null) {
    throw new ValueError(
      `ArrayDataset: field '${name}' is a tensor that has not been computed; await its data() first`,
    )
  }
  return { data: made.host, shape: made.shape, dtype: made.dtype }
}
