// Golden files: JSON objects of cases that other libraries computed, in the format `golden-1`. This file reads them and
// makes tensors of their values. Read next: compare.ts, replay.ts.
import { ValueError, type DType } from '@nabla/engine'
import { tensor, type Tensor } from '@nabla/tensor'

/** A value of a golden file. Elements lie row-major; those that are not finite are written as text. */
export interface GoldenTensor {
  readonly dtype: 'float32' | 'int32' | 'bool' | 'complex'
  readonly shape: readonly number[]
  readonly data: readonly (number | 'NaN' | 'Infinity' | '-Infinity')[]
}

/** What every case has. */
export interface GoldenCase {
  readonly id: string
  readonly note?: string
}

/** A golden file. */
export interface GoldenFile<Case extends GoldenCase> {
  readonly format: string
  readonly kind: string
  readonly count: number
  readonly cases: readonly Case[]
}

/** What became of a case. `missing`: there is nothing here that it could be mapped to. */
export interface Outcome {
  readonly id: string
  readonly status: 'pass' | 'fail' | 'missing'
  /** What differs, or what is missing. */
  readonly message: string
}

/** Thrown where a case needs something that this library does not have. Such a case has not passed. */
export class MissingFeature extends Error {}

/** Whether a value of a case is a tensor. */
export function isGoldenTensor(value: unknown): value is GoldenTensor {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value
}

/** The elements as numbers. */
export function elementsOf(golden: GoldenTensor): number[] {
  return golden.data.map(Number)
}

/** The shape a golden value has here: complex numbers are pairs on the last axis. */
export function shapeOf(golden: GoldenTensor): readonly number[] {
  return golden.dtype === 'complex' ? [...golden.shape, 2] : golden.shape
}

/** A tensor of a golden value. */
export function toTensor(golden: GoldenTensor, options: { requiresGrad?: boolean } = {}): Tensor {
  const dtype: DType = golden.dtype === 'complex' ? 'float32' : golden.dtype
  return tensor(Float64Array.from(elementsOf(golden)), { shape: shapeOf(golden), dtype, ...options })
}

/** Runs one case and says what became of it. */
export async function outcomeOf(id: string, run: () => Promise<void>): Promise<Outcome> {
  try {
    await run()
    return { id, status: 'pass', message: '' }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { id, status: error instanceof MissingFeature || isUnknownName(error) ? 'missing' : 'fail', message }
  }
}

/** Whether a name (of a mode, a reduction) was refused because nothing of that name exists here. */
function isUnknownName(error: unknown): boolean {
  return error instanceof ValueError && /\bunknown [\w ]+ '(?!undefined)/.test(error.message)
}
