// Taking over saved values: compares the names and shapes of a saved state with those of a model, says everything that
// does not fit at once, and only then copies. Files are no business of this package: a reader of any format gives
// `{ data, shape }` by name. Read next: module.ts, which calls this.
import { flush, formatShape, sameShape, ShapeError, ValueError, type DType, type Shape } from '@nabla/engine'
import { Tensor, tensor, Variable, type NumericArray } from '@nabla/tensor'

/** Elements of one saved value, row-major, as readers of files give them. */
export interface StateData {
  readonly data: NumericArray
  readonly shape: Shape
  readonly dtype?: DType
}

/** Saved values by name. */
export type State = Readonly<Record<string, StateEntry>> | ReadonlyMap<string, StateEntry>

/** One saved value. */
export type StateEntry = Variable | Tensor | StateData

/** Settings of `loadStateDict`. */
export interface LoadOptions {
  /** Whether names must agree exactly (the default). */
  strict?: boolean
}

/** What did not agree. */
export interface LoadResult {
  /** Names of the model that the state lacks. */
  missing: string[]
  /** Names of the state that the model lacks. */
  unexpected: string[]
}

/** Copies `state` into the Variables of `own`. See `Module.loadStateDict`. */
export function loadState(
  model: string,
  own: Readonly<Record<string, Variable>>,
  state: State,
  { strict = true }: LoadOptions,
): LoadResult {
  const given = new Map<string, StateEntry>(state instanceof Map ? state : Object.entries(state))
  const present = Object.entries(own).filter(([name]) => given.has(name))
  // Weights that stand in two places may have been saved once.
  const filled = new Set(present.map(([, variable]) => variable))
  const missing = Object.keys(own).filter((name) => !given.has(name) && !filled.has(own[name]!))
  const unexpected = [...given.keys()].filter((name) => !Object.hasOwn(own, name))
  if (strict && missing.length + unexpected.length > 0) throw namesError(model, missing, unexpected)
  const misfits = present.filter(([name, variable]) => !sameShape(given.get(name)!.shape, variable.shape))
  if (misfits.length > 0) {
    const list = misfits.map(
      ([name, { shape }]) => `${name} is ${formatShape(given.get(name)!.shape)}, not ${formatShape(shape)}`,
    )
    throw new ShapeError(`loadStateDict: shapes do not fit ${model}: ${list.join('; ')}`)
  }
  const values = present.map(
    ([name, variable]) => [variable, valueOf(name, given.get(name)!, variable.dtype)] as const,
  )
  for (const [variable, value] of values) variable.value = value
  flush()
  return { missing, unexpected }
}

function namesError(model: string, missing: readonly string[], unexpected: readonly string[]): ValueError {
  const parts: string[] = []
  if (missing.length > 0) parts.push(`missing: ${missing.join(', ')}`)
  if (unexpected.length > 0) parts.push(`unexpected: ${unexpected.join(', ')}`)
  return new ValueError(
    `loadStateDict: names do not fit ${model}: ${parts.join('; ')}. Pass { strict: false } to load what fits`,
  )
}

function valueOf(name: string, entry: StateEntry, dtype: DType): Tensor {
  if (entry instanceof Variable) return entry.value.to(dtype)
  if (entry instanceof Tensor) return entry.to(dtype)
  if (!ArrayBuffer.isView(entry.data)) {
    throw new ValueError(
      `loadStateDict: the data of ${name} is no typed array; give { data, shape } with a Float32Array, say`,
    )
  }
  return tensor(entry.data, { shape: entry.shape, dtype })
}
