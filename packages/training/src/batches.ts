// From whatever a user has to batches: arrays become datasets, datasets become loaders. Read next: @nabla/data.
import { ShapeError, ValueError } from '@nabla/engine'
import { ArrayDataset, DataLoader, subset, type Batch, type Dataset, type FieldInput } from '@nabla/data'
import { Tensor, Variable } from '@nabla/tensor'
import type { PredictionData, TrainingData } from './options.ts'

const usualBatchSize = 32

/** How a loader is to be made; what is left out has the default. */
export interface LoaderOptions {
  batchSize?: number | undefined
  shuffle?: boolean | undefined
  seed?: number | undefined
}

/**
 * A loader of what was given.
 * @param shuffles whether rows are shuffled unless the options say otherwise
 * @throws ValueError for no rows, a batch size that is none, and options that a loader has already decided
 * @throws ShapeError when x and y differ in their number of rows
 */
export async function toLoader(
  caller: string,
  data: TrainingData,
  options: LoaderOptions,
  shuffles: boolean = false,
): Promise<DataLoader> {
  if (data instanceof DataLoader) {
    const decided = Object.entries(options).find(([, value]) => value !== undefined)
    if (decided === undefined) return data
    throw new ValueError(
      `${caller}: the data are a DataLoader, which has its own ${decided[0]}; set it there`,
    )
  }
  const { batchSize = usualBatchSize, shuffle = shuffles, seed = 0 } = options
  return new DataLoader(await toDataset(caller, data), { batchSize, shuffle, seed })
}

/** A loader of validation data: unless they have their own, in batches like those of the training. */
export async function validationLoader(data: TrainingData, batchSize: number): Promise<DataLoader> {
  return data instanceof DataLoader ? data : toLoader('fit (validationData)', data, { batchSize })
}

/** The rows to train with and those kept back, which are the last. @throws ValueError when either would be empty */
export async function splitOff(data: TrainingData, share: number): Promise<[Dataset, Dataset]> {
  if (data instanceof DataLoader) {
    throw new ValueError(
      'fit: a DataLoader cannot be split; split its dataset with randomSplit and give validationData',
    )
  }
  const dataset = await toDataset('fit', data)
  const kept = Math.floor(dataset.length * (1 - share))
  if (kept === 0 || kept === dataset.length) {
    throw new ValueError(`fit: a validationSplit of ${share} leaves one side of ${dataset.length} rows empty`)
  }
  const rows = Array.from({ length: dataset.length }, (_, row) => row)
  return [subset(dataset, rows.slice(0, kept)), subset(dataset, rows.slice(kept))]
}

/** Batches of inputs in order. @throws ValueError, ShapeError */
export async function toInputLoader(
  data: PredictionData,
  batchSize: number | undefined,
): Promise<DataLoader> {
  if (data instanceof DataLoader || isDataset(data)) return toLoader('predict', data, { batchSize })
  const dataset = new ArrayDataset({ x: await computed(data) })
  return new DataLoader(dataset, { batchSize: batchSize ?? usualBatchSize })
}

/** One field of a batch. @throws ValueError naming the fields there are */
export function fieldOf(caller: string, batch: Batch, name: 'x' | 'y'): Tensor {
  const field = batch[name]
  if (field !== undefined) return field
  throw new ValueError(
    `${caller}: batches have no field '${name}'. They have ${Object.keys(batch).join(', ')}; rename with mapDataset`,
  )
}

async function toDataset(caller: string, data: Exclude<TrainingData, DataLoader>): Promise<Dataset> {
  if (isDataset(data)) return data
  if (typeof data !== 'object' || data === null || data.x === undefined || data.y === undefined) {
    throw new ValueError(
      `${caller}: the data must be { x, y }, a dataset or a DataLoader; got ${describe(data)}`,
    )
  }
  const [x, y] = [await computed(data.x), await computed(data.y)]
  try {
    return new ArrayDataset({ x, y })
  } catch (error) {
    // The message names the fields and their sizes; whose they are is added.
    if (error instanceof ShapeError) throw new ShapeError(`${caller}: ${error.message}`, { cause: error })
    throw error
  }
}

// Datasets lie on the host; a tensor is taken there first.
async function computed(input: FieldInput): Promise<FieldInput> {
  if (!(input instanceof Tensor || input instanceof Variable)) return input
  const tensor = input instanceof Variable ? input.value : input
  return { data: await tensor.data(), shape: tensor.shape, dtype: tensor.dtype }
}

function isDataset(data: unknown): data is Dataset {
  return typeof data === 'object' && data !== null && 'batch' in data && typeof data.batch === 'function'
}

function describe(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data)
  return `an object with ${Object.keys(data).join(', ') || 'nothing in it'}`
}
