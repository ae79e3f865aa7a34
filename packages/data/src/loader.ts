// DataLoader: goes through a dataset in batches, in order or shuffled anew each epoch. The order depends on the seed and
// the epoch only, so a run can be repeated. Read before: dataset.ts.
import { ValueError } from '@nabla/engine'
import { ArrayDataset, type Batch, type Dataset, type FieldInput } from './dataset.ts'
import { permutation } from './shuffle.ts'

/** How a dataset is gone through. */
export interface DataLoaderOptions {
  /** Rows of a batch. Default: 1. */
  batchSize?: number
  /** Another random order each epoch. Default: false. */
  shuffle?: boolean
  /** What the random orders follow from. Default: 0. */
  seed?: number
  /** Leaves out a last batch with fewer rows. Default: false. */
  dropLast?: boolean
}

/**
 * Batches of a dataset, for `for await (const { x, y } of loader)` or a plain `for`. Each loop is one epoch.
 */
export class DataLoader<Names extends string = string>
  implements AsyncIterable<Batch<Names>>, Iterable<Batch<Names>>
{
  readonly dataset: Dataset<Names>
  readonly batchSize: number
  /** Epochs begun so far; sets the next random order. */
  epoch: number = 0
  readonly #shuffle: boolean
  readonly #seed: number
  readonly #dropLast: boolean

  /**
   * @param data a dataset, or the fields of one
   * @throws ValueError for an empty dataset or a batch size that is no positive integer
   */
  constructor(
    data: Dataset<Names> | { readonly [Name in Names]: FieldInput },
    options: DataLoaderOptions = {},
  ) {
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false } = options
    this.dataset = isDataset(data) ? data : new ArrayDataset(data)
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`DataLoader: batchSize must be a positive integer; got ${batchSize}`)
    }
    if (this.dataset.length === 0) throw new ValueError('DataLoader: the dataset is empty')
    if (dropLast && this.dataset.length < batchSize) {
      throw new ValueError(
        `DataLoader: ${this.dataset.length} rows make no whole batch of ${batchSize}, and dropLast leaves out the rest`,
      )
    }
    if (!Number.isInteger(seed) || seed < 0)
      throw new ValueError(`DataLoader: seed must be a non-negative integer; got ${seed}`)
    this.batchSize = batchSize
    this.#shuffle = shuffle
    this.#seed = seed
    this.#dropLast = dropLast
  }

  /** Number of batches of an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  *[Symbol.iterator](): Iterator<Batch<Names>> {
    const { length } = this.dataset
    const epoch = this.epoch++
    const order = this.#shuffle
      ? permutation(length, this.#seed, epoch)
      : Int32Array.from({ length }, (_, i) => i)
    for (let step = 0; step < this.length; step++) {
      const from = step * this.batchSize
      yield this.dataset.batch(order.subarray(from, Math.min(from + this.batchSize, length)))
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Batch<Names>> {
    yield* this[Symbol.iterator]() as Generator<Batch<Names>>
  }
}

function isDataset<Names extends string>(data: object): data is Dataset<Names> {
  return 'batch' in data && typeof data.batch === 'function'
}
